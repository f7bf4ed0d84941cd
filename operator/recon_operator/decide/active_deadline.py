"""`spec.activeDeadlineSeconds`: the longest running time over all attempts."""

from datetime import datetime, timedelta

from recon_api.reasons import DEADLINE_EXCEEDED, Reason
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def jobs_past_their_active_deadline_fail(situation: Situation) -> Situation | Decision:
    """End a job whose attempts have used its time up; an open one is stopped first."""
    if situation.attempt is not None or active_deadline_exceeded(situation) is None:
        return situation
    limit_s = situation.job.spec.active_deadline_seconds
    ran_s = situation.status.active_seconds
    return fail(situation, DEADLINE_EXCEEDED, f"ran for {ran_s} s, and activeDeadlineSeconds is {limit_s}")


def active_deadline_exceeded(situation: Situation) -> Reason | None:
    """Return the reason to stop, where the running time is used up."""
    limit_s = situation.job.spec.active_deadline_seconds
    if limit_s is None:
        return None
    due = _due(situation)
    exceeded = situation.status.active_seconds >= limit_s if due is None else situation.now >= due
    return DEADLINE_EXCEEDED if exceeded else None


def with_active_deadline(situation: Situation) -> Situation:
    """Return the situation, to be looked at again when the time of the running attempt is up."""
    due = _due(situation)
    return situation if due is None else situation.look_again(due)


def _due(situation: Situation) -> datetime | None:
    """Return when the running attempt has used the job's time up, or nothing where none runs or may run for ever."""
    limit_s, attempt = situation.job.spec.active_deadline_seconds, situation.attempt
    if limit_s is None or attempt is None or attempt.start_time is None:
        return None
    return attempt.start_time + timedelta(seconds=max(limit_s - situation.status.active_seconds, 0))
