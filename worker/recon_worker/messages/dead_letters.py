"""The list of refused messages in Redis: the newest first, so many at most, and gone some time after the last one."""

from redis import Redis

from recon_api.keys import RECORD_TTL_S, REFUSED_MESSAGES_KEPT, REFUSED_MESSAGES_KEY
from recon_api.payload import RefusedMessage


class DeadLetters:
    """Writes the list. All workers of an installation share it."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, entry: RefusedMessage) -> None:
        """Put an entry first. Raises RedisError or OSError where Redis can't be asked, or refuses."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lpush(REFUSED_MESSAGES_KEY, entry.model_dump_json())
            pipe.ltrim(REFUSED_MESSAGES_KEY, 0, REFUSED_MESSAGES_KEPT - 1)
            pipe.expire(REFUSED_MESSAGES_KEY, RECORD_TTL_S)
            pipe.execute()
