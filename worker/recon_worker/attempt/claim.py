"""Claiming an attempt: one copy of one message runs an attempt, and only where it is the job's latest.

The claim is set first and the attempt's number read after; the operator writes the next number first and reads the claim
after. So one of the two always sees the other.
"""

import logging
import time
from contextlib import suppress

from redis import Redis

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.keys import NO_ATTEMPT, RECORD_TTL_S, attempt_key, cancel_key, claim_key, result_key
from recon_api.payload import ClaimOwner, TaskPayload
from recon_worker.attempt.attempt_result import ended_by, with_circumstances
from recon_worker.attempt.redis_client import RECONNECT_S, UNREACHABLE

CLAIM_WITHIN_S = 15.0
"""How long a message waits for a Redis that does not answer; then the operator sends another."""

logger = logging.getLogger(__name__)


class AttemptRefusedError(Exception):
    """Raised when the attempt of a message may not run here. It is no fault."""


class AlreadyClaimed(Exception):  # noqa: N818 - it is no fault
    """Another copy of the message has run, or runs."""


def claim(redis: Redis, uid: str, attempt: int, owner: ClaimOwner) -> None:
    """Take the attempt for the owner.

    Raises `AlreadyClaimed` where another has it, and `JobCancelled` where it was taken and may not run: then nobody
    ever runs it. Raises what redis-py raises; the attempt may then be taken or not, and asking again finds out.
    """
    mine, key = owner.model_dump_json(), claim_key(uid, attempt)
    if not redis.set(key, mine, nx=True, ex=RECORD_TTL_S) and redis.get(key) != mine.encode():
        raise AlreadyClaimed("another copy of the message has run")
    current, cancelled = redis.mget(attempt_key(uid), cancel_key(uid))
    if cancelled:
        raise JobCancelled(reasons.CANCELLED, "the job was cancelled before it ran")
    if current is None:
        raise JobCancelled(reasons.SUPERSEDED, "no attempt of the job was to run")
    if int(current) != attempt:
        raise not_current(int(current))


def not_current(current: int) -> JobCancelled:
    """Return the order to stop for an attempt that is not the one to run."""
    if current == NO_ATTEMPT:
        return JobCancelled(reasons.SUSPENDED, "the job is held; its finished steps are kept")
    return JobCancelled(reasons.SUPERSEDED, f"attempt {current} took over")


def claim_for_message(redis: Redis, payload: TaskPayload, owner: ClaimOwner) -> None:
    """Take the attempt of a message for this process. Raises `AttemptRefusedError` where it may not run."""
    deadline = time.monotonic() + CLAIM_WITHIN_S
    while True:
        try:
            claim(redis, payload.job_id, payload.attempt, owner)
        except (AlreadyClaimed, JobCancelled) as refusal:
            logger.info("message of attempt %d dropped: %s", payload.attempt, refusal)
            if isinstance(refusal, JobCancelled):
                _record_unstarted(redis, payload, owner, refusal)
            raise AttemptRefusedError(str(refusal)) from refusal
        except UNREACHABLE as error:
            if time.monotonic() > deadline:
                raise AttemptRefusedError(f"Redis does not answer ({error})") from error
            time.sleep(RECONNECT_S)
        else:
            return


def _record_unstarted(redis: Redis, payload: TaskPayload, owner: ClaimOwner, refusal: JobCancelled) -> None:
    """Record that the claimed attempt never starts, so that the operator need not wait for a lease that never comes."""
    result = with_circumstances(ended_by(refusal, payload.attempt), worker=owner.worker, started_at=None)
    with suppress(*UNREACHABLE):
        redis.set(result_key(payload.job_id, payload.attempt), result.model_dump_json(), ex=RECORD_TTL_S)
