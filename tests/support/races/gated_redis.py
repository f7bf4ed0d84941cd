"""A worker's connection to Redis: it stands still before each command, and may be cut."""

from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.connection import ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.support.races.steps import pause


class GatedRedis(Redis):
    """Redis by the connections of a pool that all workers share."""

    def __init__(self, pool: ConnectionPool, is_cut: Callable[[], bool]) -> None:
        super().__init__(connection_pool=pool)
        self._is_cut = is_cut

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """Stand still, then do it."""
        self.stand(f"redis {arguments[0]} {arguments[1] if len(arguments) > 1 else ''}")
        return super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> "GatedPipeline":
        """Return a pipeline that stands still before it is executed."""
        pipe = GatedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipe.stand = self.stand
        return pipe

    def stand(self, at: str) -> None:
        """Stand still; then fail where the connection is cut."""
        pause(at)
        if self._is_cut():
            raise RedisConnectionError("cut off")


class GatedPipeline(Pipeline):
    """Several commands at once."""

    stand: Callable[[str], None]

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Stand still, then do them."""
        self.stand("redis pipeline")
        return super().execute(raise_on_error)
