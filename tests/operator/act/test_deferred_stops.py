"""What is done about a job that went before its attempt had stopped."""

from typing import Any

import pytest

from recon_operator.act.deferred_stops import DeferredStops
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import GoneError, KubernetesError
from recon_operator.clients.redis_state import StateUnavailableError
from tests.operator.builders import UID, make_job

STOPPED = [f"forget {UID}", f"stop {UID}", f"discard {UID} studio h200", f"gone {UID}"]


class World:
    """The API server, Redis and the workers, as far as a stop is concerned."""

    def __init__(self) -> None:
        self.exists, self.calls, self.faults = False, list[str](), list[Exception]()
        self.stops = DeferredStops(self, self, self, lambda job: self.calls.append(f"gone {job.uid}"))  # type: ignore[arg-type]

    def _call(self, call: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.calls.append(call)

    async def get_job(self, namespace: str, name: str) -> dict[str, Any]:
        self._call(f"get {namespace}/{name}")
        if not self.exists:
            raise GoneError("404")
        return {"metadata": {"uid": UID}}

    async def forget(self, uid: str) -> None:
        self._call(f"forget {uid}")

    async def set_stop_flag(self, uid: str) -> None:
        self._call(f"stop {uid}")

    async def discard(self, uid: str, namespace: str, gpu_class: str) -> None:
        self._call(f"discard {uid} {namespace} {gpu_class}")

    async def pay(self) -> list[str]:
        self.calls.clear()
        await self.stops.pay()
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
    world.exists = exists
    world.stops.add(make_job(), "h200", certain=certain)
    assert await world.pay() == calls
    assert await world.pay() == []


@pytest.mark.parametrize(
    "fault", [KubernetesError("503"), BrokerError("away"), StateUnavailableError("away", refused=False)]
)
async def test_servers_that_do_not_answer_are_asked_again(fault: Exception) -> None:
    world = World()
    world.stops.add(make_job(), "h200")
    world.faults = [fault]
    assert await world.pay() == []
    assert await world.pay() == STOPPED
