"""What jobs have left on a worker's own disk: where the storage is a bucket, they may have ended on any other worker since."""

import logging
from contextlib import suppress

from redis import Redis

from recon_api.keys import attempt_key
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.storage.volume import Storage

logger = logging.getLogger(__name__)


def remove_leftovers(storage: Storage, redis: Redis, uid: str) -> None:
    """Remove the steps of all jobs but this one of which no attempt may run any more, nor later.

    A job that waits for its next attempt, or is suspended, keeps its steps. Where Redis does not answer all do.
    """
    others = [other for other in storage.jobs() if other != uid]
    if not others:
        return
    try:
        numbers = redis.mget([attempt_key(other) for other in others])
    except UNREACHABLE:
        return
    for other, number in zip(others, numbers, strict=True):
        if number is None:
            logger.info("removing the steps of job %s, which has ended elsewhere", other)
            with suppress(OSError):
                storage.discard(other)
