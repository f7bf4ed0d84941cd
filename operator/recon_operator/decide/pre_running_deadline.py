"""`spec.preRunningDeadlineSeconds`: the longest wait in the queue before a job first runs."""

from datetime import datetime, timedelta

from recon_api.reasons import QUEUE_DEADLINE_EXCEEDED, Reason
from recon_api.status import ConditionStatus, ConditionType
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def jobs_past_their_pre_running_deadline_fail(situation: Situation) -> Situation | Decision:
    """End a job that has waited too long; an attempt that was sent and not taken is called back first."""
    if situation.attempt is not None or pre_running_deadline_exceeded(situation) is None:
        return situation
    limit_s = situation.job.spec.pre_running_deadline_seconds
    return fail(situation, QUEUE_DEADLINE_EXCEEDED, f"no worker was free within preRunningDeadlineSeconds ({limit_s})")


def pre_running_deadline_exceeded(situation: Situation) -> Reason | None:
    """Return the reason to stop, where the job has waited too long."""
    due = _due(situation)
    return QUEUE_DEADLINE_EXCEEDED if due is not None and situation.now >= due else None


def with_pre_running_deadline(situation: Situation) -> Situation:
    """Return the situation, to be looked at again when the job has waited too long."""
    due = _due(situation)
    return situation if due is None else situation.look_again(due)


def _due(situation: Situation) -> datetime | None:
    """Return when the wait is too long, or nothing where the job does not wait, has run, or may wait for ever."""
    limit_s, queued = situation.job.spec.pre_running_deadline_seconds, situation.status.condition(ConditionType.QUEUED)
    if limit_s is None or situation.status.start_time is not None:
        return None
    if queued is None or queued.status is not ConditionStatus.TRUE:
        return None
    return queued.last_transition_time + timedelta(seconds=limit_s)
