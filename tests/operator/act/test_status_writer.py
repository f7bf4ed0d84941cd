"""The smallest patch, and who may wait with it."""

from typing import Any, cast

import pytest

from recon_api.status import Phase, QueueStatus, ReconstructionJobStatus
from recon_operator.act.status_writer import CORRECTIONS_PER_S, StatusWriter, WriteBudget, is_routine
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.status_patch import dump, merge_patch, status_patch
from tests.operator.builders import UID, dispatched, finished, make_job, queued, requested, running
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


class Recorder:
    """Takes every patch, and keeps it; the answer is the status that the patch makes."""

    def __init__(self) -> None:
        self.patches: list[Any] = []
        self.answer = make_job()

    async def patch_status(self, namespace: str, name: str, body: Any) -> Any:
        self.patches.append(body["status"])
        return {**self.answer.model_dump(mode="json", by_alias=True), "status": dump(self.answer.status)}


EDITED = running(message="mine")


@pytest.mark.parametrize(
    ("new", "patch", "corrected"),
    [
        pytest.param(RUNNING, {"message": RUNNING.message}, ("message",), id="what somebody wrote is set right"),
        pytest.param(
            running(progress={"percentage": 9}),
            {"message": RUNNING.message, "progress": {"percentage": 9}},
            ("message",),
            id="with what is new",
        ),
        pytest.param(EDITED, {}, (), id="what is true by now is left"),
    ],
)
async def test_a_status_is_written_over_what_stands_there(
    new: ReconstructionJobStatus, patch: Json, corrected: tuple[str, ...]
) -> None:
    jobs, api = Jobs(), Recorder()
    jobs.apply(shown(resource_version="7", status=RUNNING))
    jobs.apply(shown(resource_version="8", status=EDITED))
    job = jobs.get(UID)
    assert job is not None
    written = await StatusWriter(cast(Any, api), jobs, 20.0).write(job, new)
    assert (api.patches, written.corrected) == ([patch] if patch else [], corrected)


async def test_only_so_many_corrections_are_made_at_once() -> None:
    jobs, api = Jobs(), Recorder()
    writer = StatusWriter(cast(Any, api), jobs, 20.0)
    writer.corrections = WriteBudget(CORRECTIONS_PER_S, clock=lambda: 100.0)
    deferred = []
    for number in range(10):
        uid = f"{number}"
        jobs.apply(shown(uid=uid, resource_version="7", status=RUNNING))
        jobs.apply(shown(uid=uid, resource_version="8", status=EDITED))
        job = jobs.get(uid)
        assert job is not None
        deferred.append((await writer.write(job, RUNNING)).deferred_s > 0)
    assert 0 < deferred.count(False) < 10
    assert deferred == sorted(deferred), "once there are too many, all that follow wait"
    job = jobs.get("9")
    assert job is not None
    assert (await writer.write(job, dispatched(2))).changed, "a transition does not wait, and sets right what there is"


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
    budget = WriteBudget(10.0, clock=lambda: 100.0)
    budget.pause(3.0)
    assert budget.wait_s("a") == pytest.approx(3.1)
