"""What a worker says of how an attempt ended."""

from recon_api.payload import AttemptResult, Outcome
from recon_api.reasons import SUPERSEDED, Blame, Reason, reason_of
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision, WithdrawRequest
from recon_operator.decide.failures import attempt_failed
from recon_operator.decide.terminal_transitions import cancel, succeed


def results_end_attempts(situation: Situation) -> Situation | Decision:
    """End the attempt as its worker says; a result of any earlier attempt counts for nothing."""
    result = situation.seen.result
    if situation.attempt is None or result is None or result.attempt != situation.status.execution_attempts:
        return situation
    if result.outcome is Outcome.COMPLETED:
        return succeed(situation, result)
    if situation.stop_confirmed:
        return cancel(situation)
    if result.outcome is Outcome.CANCELLED:
        return _stopped_unasked(situation, result)
    reason = reason_of(result.reason)
    if situation.attempt.stop_time is not None and reason.blame is not Blame.USER:
        return situation  # it has stopped as it was told to
    return attempt_failed(situation, reason, result.message or reason.meaning)


def _stopped_unasked(situation: Situation, result: AttemptResult) -> Situation | Decision:
    """Take the attempt for lost by the cluster: it saw flags that the resource does not ask for, so these go."""
    known = reason_of(result.reason)
    reason: Reason = known if known.blame is Blame.INFRASTRUCTURE else SUPERSEDED
    return attempt_failed(situation.effect(WithdrawRequest()), reason, result.message or reason.meaning)
