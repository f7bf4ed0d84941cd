"""Which jobs have ended, as far as Redis knows: no attempt at them may run any more, nor later."""

from collections.abc import Sequence

from redis import Redis

from recon_api.keys import attempt_key
from recon_worker.attempt.redis_client import UNREACHABLE


def ended_jobs(redis: Redis, uids: Sequence[str]) -> list[str]:
    """Return those of the jobs that have ended; none where Redis does not answer.

    A job that waits for its next attempt, or is suspended, has not ended.
    """
    try:
        numbers = redis.mget([attempt_key(uid) for uid in uids])
    except UNREACHABLE:
        return []
    return [uid for uid, number in zip(uids, numbers, strict=True) if number is None]
