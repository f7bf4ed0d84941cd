"""What is done about a job that went before its attempt had stopped."""

import pytest

from recon_operator.act.deferred_stops import DeferredStops
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import KubernetesError
from recon_operator.clients.redis_state import StateUnavailableError
from tests.operator.builders import UID, make_job
from tests.operator.recorded_servers import RecordedServers

STOPPED = [f"forget {UID}", f"stop {UID}", f"discard {UID} studio h200", f"gone {UID}"]


class World(RecordedServers):
    """The API server, Redis and the workers, as far as a stop is concerned."""

    def __init__(self) -> None:
        super().__init__()
        self.stops = DeferredStops(self, self, self, lambda job: self.calls.append(f"gone {job.uid}"))  # type: ignore[arg-type]

    async def discard(self, uid: str, namespace: str, gpu_class: str) -> None:
        self.call(f"discard {uid} {namespace} {gpu_class}")

    async def turn(self) -> list[str]:
        self.calls.clear()
        await self.stops.stop_pending()
        return list(self.calls)


@pytest.mark.parametrize(
    ("certain", "exists", "calls"),
    [
        pytest.param(True, False, STOPPED, id="a job that this operator let go"),
        pytest.param(False, False, ["get studio/chair", *STOPPED], id="one that is gone, as it seemed"),
        pytest.param(False, True, ["get studio/chair"], id="one that has only left what is watched"),
    ],
)
async def test_what_is_done(certain: bool, exists: bool, calls: list[str]) -> None:
    world = World()
    world.existing = {"chair": UID} if exists else {}
    world.stops.add(make_job(), "h200", certain=certain)
    assert await world.turn() == calls
    assert await world.turn() == []


@pytest.mark.parametrize(
    "fault", [KubernetesError("503"), BrokerError("away"), StateUnavailableError("away", refused=False)]
)
async def test_servers_that_do_not_answer_are_asked_again(fault: Exception) -> None:
    world = World()
    world.stops.add(make_job(), "h200")
    world.faults = [fault]
    assert await world.turn() == []
    assert await world.turn() == STOPPED
