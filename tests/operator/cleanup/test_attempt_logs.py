"""When the logs of a job are removed: once it is gone, and not before."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from recon_api.payload import JobFiles
from recon_api.resource import ReconstructionJob
from recon_api.status import Attempt, ReconstructionJobStatus
from recon_operator.cleanup.attempt_logs import (
    ASK_AGAIN_S,
    RETRY_S,
    SEARCH_INTERVAL_S,
    STOP_INTERVAL_S,
    AttemptLogs,
)
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import KubernetesError
from recon_operator.clients.redis_state import StateUnavailableError
from tests.operator.builders import make_job
from tests.operator.recorded_servers import RecordedServers

LOGGED = Attempt(number=1, log="file:///storage/outputs/shop/.logs/uid/attempt-1.log")


class World(RecordedServers):
    """The API server, Redis and the workers, as far as logs are concerned, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.recorded, self.running = 0.0, dict[str, JobFiles](), set[tuple[str, int]]()
        self.logs = AttemptLogs(self, self, self, clock=lambda: self.now)  # type: ignore[arg-type]

    async def list_jobs(self, namespace: str | None) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        self.call(f"list {namespace}")
        yield [{"metadata": {"uid": uid}} for uid in self.existing.values()], "1"

    async def job_files(self) -> dict[str, JobFiles]:
        self.call("read")
        return self.recorded

    async def living_owner(self, uid: str, attempt: int) -> bool:
        return (uid, attempt) in self.running

    async def discard(self, uid: str, namespace: str, gpu_class: str, *, logs: bool) -> None:
        self.call(f"discard {uid} {namespace} {gpu_class} {logs}")

    async def turn(self) -> list[str]:
        self.calls.clear()
        await self.logs.turn()
        return list(self.calls)


@pytest.fixture
async def world() -> World:
    made = World()
    assert await made.turn() == ["read"]  # the search of the beginning, which finds nothing
    return made


def job(*attempts: Attempt, finalizer: bool = False, deleted_s_ago: float | None = None) -> ReconstructionJob:
    status = ReconstructionJobStatus(attempts=attempts, execution_attempts=len(attempts))
    return make_job(status=status, namespace="shop", finalizer=finalizer, deleted_s_ago=deleted_s_ago)


@pytest.mark.parametrize(
    ("seen", "looks"),
    [
        pytest.param(job(LOGGED), True, id="a finished job that a watch no longer shows"),
        pytest.param(job(LOGGED, finalizer=True, deleted_s_ago=1), True, id="one that was deleted while it ran"),
        pytest.param(job(LOGGED, finalizer=True), False, id="one that has just finished"),
        pytest.param(job(Attempt(number=1)), True, id="one whose status does not name its log yet"),
        pytest.param(job(), False, id="one that never ran"),
    ],
)
async def test_who_is_asked_about(world: World, seen: ReconstructionJob, looks: bool) -> None:
    world.logs.seen_to_go(seen)
    assert await world.turn() == (["get shop/chair", f"discard {seen.uid} shop any True"] if looks else [])
    assert await world.turn() == []


async def test_a_job_that_went_as_it_got_its_finalizer_is_asked_about_once_its_stop_is_ordered(world: World) -> None:
    gone = job(LOGGED, finalizer=True)  # looks like one that has just finished
    world.running = {(gone.uid, 1)}
    world.logs.suspect(gone)
    assert await world.turn() == ["get shop/chair", f"forget {gone.uid}", f"stop {gone.uid}"]
    world.running.clear()
    world.now += STOP_INTERVAL_S
    assert await world.turn() == ["get shop/chair", f"discard {gone.uid} shop any True"]


async def test_a_job_that_exists_keeps_its_logs(world: World) -> None:
    world.existing["chair"] = job().uid
    world.logs.seen_to_go(job(LOGGED))
    assert await world.turn() == ["get shop/chair"]
    assert await world.turn() == []


async def test_a_later_job_of_that_name_keeps_no_logs_of_the_first(world: World) -> None:
    world.existing["chair"] = "a-later-one"
    world.logs.seen_to_go(job(LOGGED))
    assert await world.turn() == ["get shop/chair", f"discard {job().uid} shop any True"]


@pytest.mark.parametrize(
    "fault", [KubernetesError("503"), BrokerError("away"), StateUnavailableError("away", refused=False)]
)
async def test_servers_that_do_not_answer_are_asked_again(world: World, fault: Exception) -> None:
    world.logs.seen_to_go(job(LOGGED))
    world.faults = [fault]
    assert await world.turn() == []
    assert await world.turn() == []
    world.now += RETRY_S
    assert await world.turn() == ["get shop/chair", f"discard {job().uid} shop any True"]


async def test_a_job_that_went_unseen_is_found_stopped_and_then_cleared_up(world: World) -> None:
    world.recorded = {
        uid: JobFiles(namespace="shop", name=uid, gpu_class="large", attempt=2) for uid in ("went", "stays")
    }
    world.existing["stays"] = "stays"
    world.running.add(("went", 2))
    world.now += SEARCH_INTERVAL_S
    assert await world.turn() == ["read", "list None", "get shop/went", "forget went", "stop went"]
    assert await world.turn() == []
    world.running.clear()
    world.now += STOP_INTERVAL_S
    assert await world.turn() == ["get shop/went", "discard went shop large True"]


async def test_a_search_that_fails_is_made_again(world: World) -> None:
    world.now += SEARCH_INTERVAL_S
    world.faults = [StateUnavailableError("away", refused=False)]
    assert await world.turn() == []
    assert await world.turn() == ["read"]
    assert await world.turn() == []


async def test_workers_that_do_not_answer_are_asked_once_a_day(world: World) -> None:
    world.recorded = {"went": JobFiles(namespace="shop", name="went", gpu_class="large", attempt=1)}
    world.now += SEARCH_INTERVAL_S
    asked = "discard went shop large True"
    assert await world.turn() == ["read", "list None", "get shop/went", asked]
    world.now += SEARCH_INTERVAL_S
    assert await world.turn() == ["read", "list None"]
    world.now += ASK_AGAIN_S
    assert asked in await world.turn()
