"""Connections to the database that operator and workers share. They fail fast: whoever uses one decides what waits."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from recon_worker.settings import WorkerSettings

TIMEOUT_S = 2.0
"""Of each connection and command. Defaults wait for minutes on a half-open network."""

RECONNECT_S = 0.5
"""Between two tries to reach a server that does not answer."""

UNREACHABLE = (RedisError, OSError)
"""What a command raises when the server can't be asked; it then says nothing about the keys."""


def state_redis(settings: WorkerSettings) -> Redis:
    """Return a client of the broker's server, at the database of the shared keys."""
    parsed = parse_url(settings.celery_broker_url)  # type: ignore[no-untyped-call]
    options = parsed | {"db": settings.redis_state_db}
    pool = ConnectionPool(
        **options,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)
