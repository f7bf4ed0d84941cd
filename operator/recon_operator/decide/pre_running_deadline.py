"""`spec.preRunningDeadlineSeconds`: the longest wait in the queue before a job first runs."""

from datetime import datetime, timedelta

from recon_api.reasons import QUEUE_DEADLINE_EXCEEDED, Reason
from recon_api.status import ConditionStatus, ConditionType
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def jobs_past_their_pre_running_deadline_fail(context: Context) -> Context | Decision:
    """End a job that has waited too long; an attempt that was sent and not taken is called back first."""
    if context.attempt is not None or pre_running_deadline_exceeded(context) is None:
        return context
    limit_s = context.job.spec.pre_running_deadline_seconds
    return fail(context, QUEUE_DEADLINE_EXCEEDED, f"no worker was free within preRunningDeadlineSeconds ({limit_s})")


def pre_running_deadline_exceeded(context: Context) -> Reason | None:
    """Return the reason to stop, where the job has waited too long."""
    due = _due(context)
    return QUEUE_DEADLINE_EXCEEDED if due is not None and context.now >= due else None


def with_pre_running_deadline(context: Context) -> Context:
    """Return the context, to be looked at again when the job has waited too long."""
    due = _due(context)
    return context if due is None else context.look_again(due)


def _due(context: Context) -> datetime | None:
    """Return when the wait is too long, or nothing where the job does not wait, has run, or may wait for ever."""
    limit_s, queued = context.job.spec.pre_running_deadline_seconds, context.status.condition(ConditionType.QUEUED)
    if limit_s is None or context.status.start_time is not None:
        return None
    if queued is None or queued.status is not ConditionStatus.TRUE:
        return None
    return queued.last_transition_time + timedelta(seconds=limit_s)
