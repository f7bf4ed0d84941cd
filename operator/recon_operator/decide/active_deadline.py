"""`spec.activeDeadlineSeconds`: the longest running time over all attempts."""

from datetime import datetime, timedelta

from recon_api.reasons import DEADLINE_EXCEEDED, Reason
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def jobs_past_their_active_deadline_fail(context: Context) -> Context | Decision:
    """End a job whose attempts have used its time up; an open one is stopped first."""
    if context.attempt is not None or active_deadline_exceeded(context) is None:
        return context
    limit_s = context.job.spec.active_deadline_seconds
    ran_s = context.status.active_seconds
    return fail(context, DEADLINE_EXCEEDED, f"ran for {ran_s} s, and activeDeadlineSeconds is {limit_s}")


def active_deadline_exceeded(context: Context) -> Reason | None:
    """Return the reason to stop, where the running time is used up."""
    limit_s = context.job.spec.active_deadline_seconds
    if limit_s is None:
        return None
    due = _due(context)
    used_up = context.status.active_seconds >= limit_s or _was_stopped_for_it(context)
    exceeded = used_up if due is None else context.now >= due
    return DEADLINE_EXCEEDED if exceeded else None


def with_active_deadline(context: Context) -> Context:
    """Return the context, to be looked at again when the time of the running attempt is up."""
    due = _due(context)
    return context if due is None else context.look_again(due)


def _was_stopped_for_it(context: Context) -> bool:
    """Say whether the latest attempt was ordered to stop because of the deadline, whatever its worker says of how long it ran."""
    attempts = context.status.attempts
    return bool(attempts) and attempts[-1].reason == DEADLINE_EXCEEDED.name


def _due(context: Context) -> datetime | None:
    """Return when the running attempt has used the job's time up, or nothing where none runs or may run for ever."""
    limit_s, attempt = context.job.spec.active_deadline_seconds, context.attempt
    if limit_s is None or attempt is None or attempt.start_time is None:
        return None
    return attempt.start_time + timedelta(seconds=max(limit_s - context.status.active_seconds, 0))
