"""The two steps of a cancellation: requested (nothing stops yet), then confirmed (the job stops)."""

from datetime import timedelta

from recon_api.reasons import (
    AWAITING_CONFIRMATION,
    CANCELLATION_CONFIRMED,
    CANCELLATION_EXPIRED,
    CANCELLATION_WITHDRAWN,
    Reason,
)
from recon_api.spec import Cancellation
from recon_api.status import CancellationState, CancellationStatus, ConditionType, Phase
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AssertRequest, AssertStop, Decision, WithdrawRequest
from recon_operator.decide.stopping import has_stopped, keep_stopping
from recon_operator.decide.terminal_transitions import cancel

CONFIRMED_STATES = (CancellationState.CONFIRMED, CancellationState.STOPPING, CancellationState.CANCELLED)
"""States that follow from a confirmation; where the spec has none, they are not true."""


def cancellation_steps_are_noted(situation: Situation) -> Situation | Decision:
    """Note a request, its withdrawal, its expiry or its confirmation in the status."""
    match situation.job.spec.cancellation:
        case Cancellation.REQUESTED:
            return _note_request(situation)
        case Cancellation.CONFIRMED:
            return _note_confirmation(situation)
        case None:
            return _note_withdrawal(situation)


def confirmed_cancellations_stop_the_job(situation: Situation) -> Situation | Decision:
    """End a job whose cancellation is confirmed once nothing of it runs; until then, keep telling it to stop."""
    noted = situation.status.cancellation
    if not situation.stop_confirmed or noted is None:
        return situation
    if has_stopped(situation):
        return cancel(situation)
    situation = situation.change(
        phase=Phase.CANCELLING,
        message=CANCELLATION_CONFIRMED.meaning,
        cancellation=noted.model_copy(update={"state": CancellationState.STOPPING}),
    )
    return keep_stopping(situation, AssertStop()).decide(finalizer=True)


def _note_request(situation: Situation) -> Situation:
    noted = situation.status.cancellation
    if noted is None or noted.state is CancellationState.WITHDRAWN or noted.state in CONFIRMED_STATES:
        return _start_request(situation)
    if noted.state is not CancellationState.REQUESTED or noted.expires_at is None:
        return situation
    if situation.now >= noted.expires_at:
        return _end_request(situation, noted, CancellationState.EXPIRED, CANCELLATION_EXPIRED)
    if situation.seen.known and not situation.seen.cancellation_requested:
        situation = situation.effect(AssertRequest())
    return situation.look_again(noted.expires_at)


def _start_request(situation: Situation) -> Situation:
    expires_at = situation.timestamp + timedelta(seconds=situation.limits.cancellation_expiry_s)
    message = f"{AWAITING_CONFIRMATION.meaning}. It expires at {expires_at:%H:%M:%S} UTC"
    requested = situation.change(
        cancellation=CancellationStatus(
            state=CancellationState.REQUESTED, requested_at=situation.timestamp, expires_at=expires_at
        )
    )
    requested = requested.condition(ConditionType.CANCELLATION_REQUESTED, AWAITING_CONFIRMATION, message)
    return requested.effect(AssertRequest()).event(AWAITING_CONFIRMATION, message).look_again(expires_at)


def _note_withdrawal(situation: Situation) -> Situation:
    noted = situation.status.cancellation
    if noted is None or noted.state is CancellationState.WITHDRAWN:
        return situation
    return _end_request(situation, noted, CancellationState.WITHDRAWN, CANCELLATION_WITHDRAWN)


def _end_request(
    situation: Situation, noted: CancellationStatus, state: CancellationState, reason: Reason
) -> Situation:
    ended = situation.change(cancellation=noted.model_copy(update={"state": state}))
    ended = ended.end_condition(ConditionType.CANCELLATION_REQUESTED, reason, reason.meaning)
    return ended.effect(WithdrawRequest()).event(reason, reason.meaning)


def _note_confirmation(situation: Situation) -> Situation:
    noted = situation.status.cancellation or CancellationStatus(
        state=CancellationState.REQUESTED, requested_at=situation.timestamp
    )
    if noted.state in CONFIRMED_STATES:
        return situation
    reason = CANCELLATION_CONFIRMED
    confirmed = situation.change(
        cancellation=noted.model_copy(
            update={"state": CancellationState.CONFIRMED, "confirmed_at": situation.timestamp}
        )
    )
    confirmed = confirmed.condition(ConditionType.CANCELLATION_REQUESTED, reason, reason.meaning)
    return confirmed if situation.attempt is None else confirmed.event(reason, reason.meaning)
