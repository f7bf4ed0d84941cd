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
from recon_operator.decide.context import Context
from recon_operator.decide.decision import ClearFlags, Decision, SetRequestFlag, SetStopFlag
from recon_operator.decide.stopping import has_stopped, keep_stopping
from recon_operator.decide.terminal_transitions import cancel

CONFIRMED_STATES = (CancellationState.CONFIRMED, CancellationState.STOPPING, CancellationState.CANCELLED)
"""States that follow from a confirmation; where the spec has none, they are not true."""


def cancellation_steps_are_recorded(context: Context) -> Context | Decision:
    """Record a request, its withdrawal, its expiry or its confirmation in the status."""
    match context.job.spec.cancellation:
        case Cancellation.REQUESTED:
            return _record_request(context)
        case Cancellation.CONFIRMED:
            return _record_confirmation(context)
        case None:
            return _record_withdrawal(context)


def confirmed_cancellations_stop_the_job(context: Context) -> Context | Decision:
    """End a job whose cancellation is confirmed once nothing of it runs; until then, keep ordering it to stop."""
    recorded = context.status.cancellation
    if not context.stop_confirmed or recorded is None:
        return context
    if has_stopped(context):
        return cancel(context)
    context = context.change(
        phase=Phase.CANCELLING,
        message=CANCELLATION_CONFIRMED.meaning,
        cancellation=recorded.model_copy(update={"state": CancellationState.STOPPING}),
    )
    return keep_stopping(context, SetStopFlag()).decide(finalizer=True)


def _record_request(context: Context) -> Context:
    recorded = context.status.cancellation
    if recorded is None or recorded.state is CancellationState.WITHDRAWN or recorded.state in CONFIRMED_STATES:
        return _start_request(context)
    if recorded.state is not CancellationState.REQUESTED or recorded.expires_at is None:
        return context
    if context.now >= recorded.expires_at:
        return _end_request(context, recorded, CancellationState.EXPIRED, CANCELLATION_EXPIRED)
    if context.seen.known and not context.seen.cancellation_requested:
        context = context.effect(SetRequestFlag())
    return context.look_again(recorded.expires_at)


def _start_request(context: Context) -> Context:
    expires_at = context.timestamp + timedelta(seconds=context.limits.cancellation_expiry_s)
    message = f"{AWAITING_CONFIRMATION.meaning}. It expires at {expires_at:%H:%M:%S} UTC"
    requested = context.change(
        cancellation=CancellationStatus(
            state=CancellationState.REQUESTED, requested_at=context.timestamp, expires_at=expires_at
        )
    )
    requested = requested.condition(ConditionType.CANCELLATION_REQUESTED, AWAITING_CONFIRMATION, message)
    return requested.effect(SetRequestFlag()).event(AWAITING_CONFIRMATION, message).look_again(expires_at)


def _record_withdrawal(context: Context) -> Context:
    recorded = context.status.cancellation
    if recorded is None or recorded.state is CancellationState.WITHDRAWN:
        return context
    return _end_request(context, recorded, CancellationState.WITHDRAWN, CANCELLATION_WITHDRAWN)


def _end_request(context: Context, recorded: CancellationStatus, state: CancellationState, reason: Reason) -> Context:
    ended = context.change(cancellation=recorded.model_copy(update={"state": state}))
    ended = ended.end_condition(ConditionType.CANCELLATION_REQUESTED, reason, reason.meaning)
    return ended.effect(ClearFlags()).event(reason, reason.meaning)


def _record_confirmation(context: Context) -> Context:
    recorded = context.status.cancellation or CancellationStatus(
        state=CancellationState.REQUESTED, requested_at=context.timestamp
    )
    if recorded.state in CONFIRMED_STATES:
        return context
    reason = CANCELLATION_CONFIRMED
    confirmed = context.change(
        cancellation=recorded.model_copy(
            update={"state": CancellationState.CONFIRMED, "confirmed_at": context.timestamp}
        )
    )
    confirmed = confirmed.condition(ConditionType.CANCELLATION_REQUESTED, reason, reason.meaning)
    return confirmed if context.attempt is None else confirmed.event(reason, reason.meaning)
