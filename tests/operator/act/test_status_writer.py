"""The smallest patch, and who may wait with it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import ApiClient, Configuration

from recon_api.status import Phase, QueueStatus, ReconstructionJobStatus
from recon_operator.act.events import EventPublisher
from recon_operator.act.refused_writes import RefusedWrites
from recon_operator.act.status_writer import StatusWriter, WriteBudget, is_routine
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi, ThrottledError
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.status_patch import merge_patch, status_patch
from tests.operator.builders import dispatched, finished, queued, requested, running
from tests.operator.shown import shown

Json = dict[str, object]


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        pytest.param({"a": 1}, {"a": 1}, {}, id="nothing has changed"),
        pytest.param({}, {"a": 1}, {"a": 1}, id="a field is new"),
        pytest.param({"a": 1}, {}, {"a": None}, id="a field is gone"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}, id="an inner field changed"),
        pytest.param({"a": [1, 2]}, {"a": [1, 3]}, {"a": [1, 3]}, id="lists are replaced whole"),
        pytest.param({"a": {"b": 1}}, {"a": None}, {"a": None}, id="an object became null"),
    ],
)
def test_merge_patch(old: Json, new: Json, patch: Json) -> None:
    assert merge_patch(old, new) == patch


def test_an_unchanged_status_is_not_written() -> None:
    assert status_patch(running(), running()) == {}


def test_what_is_no_longer_said_is_removed() -> None:
    old = queued(queue=QueueStatus(position=3))
    assert status_patch(old, queued()) == {"queue": None}


RUNNING = running()


@pytest.mark.parametrize(
    ("old", "new", "routine"),
    [
        pytest.param(RUNNING, running(progress={"percentage": 9}), True, id="progress may wait"),
        pytest.param(queued(), queued(queue=QueueStatus(position=3)), True, id="a place in the queue may wait"),
        pytest.param(queued(), queued(message="x"), True, id="wording may wait"),
        pytest.param(queued(), dispatched(), False, id="an attempt does not wait"),
        pytest.param(RUNNING, running(cancellation=requested()), False, id="a cancellation does not wait"),
        pytest.param(RUNNING, finished(Phase.SUCCEEDED), False, id="an end does not wait"),
    ],
)
def test_what_may_wait(old: ReconstructionJobStatus, new: ReconstructionJobStatus, routine: bool) -> None:
    assert is_routine(old, new) is routine


def test_a_budget_gives_each_that_must_wait_a_time_of_its_own() -> None:
    now = [100.0]
    budget = WriteBudget(2.0, clock=lambda: now[0])
    assert [budget.wait_s(uid) for uid in "abcd"] == [0.0, 0.0, 0.5, 1.0]
    assert budget.wait_s("d") == 1.0
    now[0] += 0.5
    assert budget.wait_s("c") == 0.0
    now[0] += 0.5
    assert budget.wait_s("d") == 0.0


def test_a_budget_pauses_when_the_api_server_asks_for_it() -> None:
    now = [100.0]
    budget = WriteBudget(2.0, clock=lambda: now[0])
    granted = {uid: budget.wait_s(uid) for uid in "abc"}
    budget.pause(3.0)
    budget.pause(2.0)
    assert {uid: budget.wait_s(uid) for uid in "cde"} == {"c": granted["c"] + 3.0, "d": 4.0, "e": 4.5}
    now[0] += 3.5
    assert budget.wait_s("c") == 0.0


@pytest.mark.parametrize("code", [429, 503])
async def test_routine_writes_pause_as_long_as_the_api_server_asks(code: int) -> None:
    asked: list[str] = []

    async def busy(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"message": "too many requests"}, status=code, headers={"Retry-After": "30"})

    application = web.Application()
    application.router.add_patch("/{path:.*}", busy)
    jobs = Jobs()
    for uid in "ab":
        jobs.apply(shown(uid=uid, name=uid, status=RUNNING))
    one, other = (job for uid in "ab" if (job := jobs.get(uid)))
    async with TestServer(application) as server:
        api = KubernetesApi(ApiClient(Configuration(host=str(server.make_url("")))), Fence.always_open())
        writer = StatusWriter(api, jobs, RefusedWrites(EventPublisher(api)), 20.0)
        with pytest.raises(ThrottledError):
            await writer.write(one, running(message="one"))
        assert (await writer.write(other, running(message="other"))).deferred_s > 29
        with pytest.raises(ThrottledError):
            await writer.write(other, finished(Phase.SUCCEEDED))
        await api.close()
    assert [path.rsplit("/", 2)[1] for path in asked] == ["a", "b"], "a transition does not wait for another job"
