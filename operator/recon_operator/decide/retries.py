"""The wait before the attempt that follows a failure (`spec.retryStrategy.backoff`): exponential, capped, with jitter."""

import re
import zlib
from datetime import datetime, timedelta

from recon_api.payload import AttemptResult
from recon_api.reasons import RETRYING, Blame, reason_of
from recon_api.resource import ReconstructionJob
from recon_api.spec import Backoff, FailureAction
from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.failure_policy import verdict

UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

JITTER = 0.2
"""Up to this part of a wait is left out, by chance, so that jobs that failed together do not come back together."""


DOUBLINGS = 64
"""After so many failures any wait that grows has come to the longest that a spec can name, from a millisecond on."""


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
    """Return when the next attempt is due after a failure, or nothing where none came before it.

    What the cluster lost is made up for at once, unless a rule counts it. `result` of the latest attempt may ask for a
    longer wait than the spec does.
    """
    latest = status.attempts[-1] if status.attempts else None
    if latest is None or latest.end_time is None:
        return None
    reason = reason_of(latest.reason)
    counts = verdict(job.spec.failure_policy, reason, latest.message).action is FailureAction.COUNT
    if reason.blame is Blame.NOBODY or (reason.blame is Blame.INFRASTRUCTURE and not counts):
        return None
    failed = status.failed_attempts if counts else status.ignored_attempts
    wait_s = backoff_s(job.spec.retry_strategy.backoff, failed) * (1 - JITTER * _random(status.task_id))
    return latest.end_time + timedelta(seconds=max(wait_s, result.retry_after_s if result else 0.0))


def backoff_s(backoff: Backoff, failed: int) -> float:
    """Return the wait after so many failures (1 or more): duration x factor^(failed - 1), at most maxDuration."""
    limit_s = duration_s(backoff.max_duration)
    wait_s = duration_s(backoff.duration)
    for _ in range(min(failed - 1, DOUBLINGS)):
        wait_s = min(wait_s * backoff.factor, limit_s)
    return min(wait_s, limit_s)


def _random(seed: str) -> float:
    """Return a number from 0 to 1 that looks random and is always the same for this seed."""
    return zlib.crc32(seed.encode()) / 2**32


def duration_s(text: str) -> float:
    """Return the seconds of a duration such as 1m30s."""
    return sum(float(number) * UNIT_S[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h)", text))
