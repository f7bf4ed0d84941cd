"""The wait before the attempt that follows a failure of the job's own (`spec.retryStrategy.backoff`)."""

import re
from datetime import datetime, timedelta

from recon_api.payload import AttemptResult
from recon_api.reasons import RETRYING, Blame, reason_of
from recon_api.resource import ReconstructionJob
from recon_api.spec import Backoff
from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_operator.decide.attempts import failures
from recon_operator.decide.decision import Decision
from recon_operator.decide.situation import Situation

UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def failed_attempts_wait_for_their_backoff(situation: Situation) -> Situation | Decision:
    """Hold a job in phase Retrying until its next attempt is due."""
    if situation.attempt is not None:
        return situation
    due = next_attempt_at(situation.job, situation.status, situation.seen.result)
    if due is None or situation.now >= due:
        return situation
    failed = situation.status.attempts[-1]
    message = f"Attempt {failed.number} failed ({failed.reason}); the next is due at {due:%H:%M:%S} UTC"
    situation = situation.change(phase=Phase.RETRYING, message=message, queue=None)
    situation = situation.end_condition(ConditionType.QUEUED, RETRYING, message)
    return situation.look_again(due).decide()


def next_attempt_at(
    job: ReconstructionJob, status: ReconstructionJobStatus, result: AttemptResult | None = None
) -> datetime | None:
    """Return when the next attempt is due after a failure of the job's own, or nothing where none came before it.

    `result` of the latest attempt may ask for a longer wait than the spec does.
    """
    latest = status.attempts[-1] if status.attempts else None
    if latest is None or latest.end_time is None or reason_of(latest.reason).blame is not Blame.JOB:
        return None
    wait_s = backoff_s(job.spec.retry_strategy.backoff, failures(status, Blame.JOB))
    return latest.end_time + timedelta(seconds=max(wait_s, result.retry_after_s if result else 0.0))


def backoff_s(backoff: Backoff, failed: int) -> float:
    """Return the wait after so many failures (1 or more): duration x factor^(failed - 1), at most maxDuration."""
    limit_s = duration_s(backoff.max_duration)
    wait_s = duration_s(backoff.duration)
    for _ in range(failed - 1):
        wait_s = min(wait_s * backoff.factor, limit_s)
    return min(wait_s, limit_s)


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as 1m30s."""
    return sum(float(number) * UNIT_S[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", text))
