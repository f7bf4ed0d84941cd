"""What a worker says of how an attempt ended."""

from recon_api.payload import AttemptResult, Outcome
from recon_api.reasons import SUPERSEDED, Blame, Reason, reason_of
from recon_operator.decide.backoff_limit import attempt_failed
from recon_operator.decide.context import Context
from recon_operator.decide.decision import ClearFlags, Decision
from recon_operator.decide.terminal_transitions import cancel, succeed


def results_end_attempts(context: Context) -> Context | Decision:
    """End the attempt as its worker says; a result of any earlier attempt counts for nothing."""
    result = context.seen.result
    if context.attempt is None or result is None or result.attempt != context.status.execution_attempts:
        return context
    if result.outcome is Outcome.COMPLETED:
        return succeed(context, result)
    if context.stop_confirmed:
        return cancel(context)
    if result.outcome is Outcome.CANCELLED:
        return _stopped_unasked(context, result)
    reason = reason_of(result.reason)
    if context.attempt.stop_time is not None and reason.blame is not Blame.USER:
        return context  # it has stopped as it was ordered to
    return attempt_failed(context, reason, result.message or reason.meaning)


def _stopped_unasked(context: Context, result: AttemptResult) -> Context | Decision:
    """Take the attempt for lost by the cluster: it saw flags that the resource does not ask for, so these go."""
    known = reason_of(result.reason)
    reason: Reason = known if known.blame is Blame.INFRASTRUCTURE else SUPERSEDED
    return attempt_failed(context.effect(ClearFlags()), reason, result.message or reason.meaning)
