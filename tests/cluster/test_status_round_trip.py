"""What the operator writes as a status comes back from the API server the same: it knows its own writes by that."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from kubernetes import client

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_api.status import (
    Attempt,
    CancellationState,
    CancellationStatus,
    Metric,
    Output,
    Phase,
    Progress,
    QueueStatus,
    ReconstructionJobStatus,
    StepTime,
    WorkerStatus,
)
from recon_operator.decide import decide
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.status_patch import dump, merge_patch
from tests.operator.builders import (
    NOW,
    alive,
    completed,
    dispatched,
    ended,
    failed,
    finished,
    make_job,
    make_observation,
    queued,
    report,
    requested,
    running,
)
from tests.support.control_plane import ControlPlane
from tests.support.jobs import make_job as make_manifest

ODD_TEXT = 'umlaut ä, 漢字, 🪑, "quotes", back\\slash, \ttab,\nnew line, <&>, \u2028, \x7f'
LIMITS = PolicySettings()

STATUSES = [
    pytest.param(ReconstructionJobStatus(), id="not seen yet"),
    pytest.param(queued(queue=QueueStatus(position=3)), id="queued"),
    pytest.param(queued(queue=QueueStatus(estimated_start_time=NOW)), id="queued, with an estimate"),
    pytest.param(queued(queue=QueueStatus()), id="queued, without a place"),
    pytest.param(dispatched(), id="sent"),
    pytest.param(running(3), id="running"),
    pytest.param(running(progress=Progress()), id="progress of nothing"),
    pytest.param(running(worker=WorkerStatus(name="")), id="a worker without a name"),
    pytest.param(
        running(
            progress=Progress(
                percentage=0,
                step="Preprocessing images",
                estimated_remaining_seconds=0,
                last_updated_time=NOW,
                metrics=(Metric(name="photosPlaced", value="8/17"), Metric(name="", value="")),
            )
        ),
        id="progress",
    ),
    pytest.param(running(progress=Progress(last_updated_time=NOW + timedelta(microseconds=123400))), id="microseconds"),
    pytest.param(
        running(
            outputs=(
                Output(name="mesh.glb", uri="file:///a%20b/mesh.glb", media_type="model/gltf-binary", bytes=2**53 + 1),
                Output(name="x", uri=""),
            )
        ),
        id="outputs",
    ),
    pytest.param(
        finished(
            Phase.SUCCEEDED,
            steps=tuple(StepTime(name=str(s), seconds=s) for s in (0.0, 1.0, 0.1, 1 / 3, 1e-9, 1e15, 12345678.9)),
        ),
        id="times of steps",
    ),
    pytest.param(
        running(
            message=ODD_TEXT, attempts=(Attempt(number=1, worker="w", stop_time=NOW, message=ODD_TEXT, reason="X"),)
        ),
        id="odd text",
    ),
    pytest.param(
        ended("CUDAOutOfMemory", number=7, failed_attempts=5, ignored_attempts=2, active_seconds=9), id="ended"
    ),
    *(
        pytest.param(running(cancellation=requested(state=state)), id=f"a cancellation: {state}")
        for state in CancellationState
    ),
    pytest.param(
        running(
            cancellation=CancellationStatus(
                state=CancellationState.CANCELLED, requested_at=NOW, confirmed_at=NOW, cancelled_at=NOW
            )
        ),
        id="a cancellation that is done",
    ),
    *(pytest.param(finished(phase), id=f"{phase}") for phase in Phase if phase.finished),
    pytest.param(
        decide(make_job(), make_observation(attempt=0, admitted=True), NOW, LIMITS).status, id="decided: it is sent"
    ),
    pytest.param(
        decide(make_job(status=running()), alive(progress=report(33.3)), NOW, LIMITS).status, id="decided: it goes on"
    ),
    pytest.param(
        decide(make_job(status=running()), alive(result=completed()), NOW, LIMITS).status, id="decided: it is done"
    ),
    pytest.param(
        decide(make_job(status=running()), alive(result=failed("InputRejected")), NOW, LIMITS).status,
        id="decided: it fails",
    ),
]


class StatusOf:
    """The status of one job, written as the operator does."""

    def __init__(self, control_plane: ControlPlane, namespace: str, name: str) -> None:
        self._api = client.CustomObjectsApi(control_plane.api)
        self._place = (GROUP, VERSION, namespace, PLURAL)
        self._name = name
        self.shown: Any = self._api.create_namespaced_custom_object(*self._place, make_manifest(name))

    def write(self, status: ReconstructionJobStatus) -> ReconstructionJobStatus:
        """Write a status over the one that is shown; return it as the API server's answer shows it."""
        patch = merge_patch(dump(read_job(self.shown).job.status), dump(status))
        self.shown = self._api.patch_namespaced_custom_object_status(*self._place, self._name, {"status": patch})
        return read_job(self.shown).job.status

    def read(self) -> ReconstructionJobStatus:
        """Return the status as it is stored."""
        found: Any = self._api.get_namespaced_custom_object(*self._place, self._name)
        return read_job(found).job.status


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_comes_back_as_it_was_written(
    control_plane: ControlPlane, namespace: str, status: ReconstructionJobStatus
) -> None:
    job = StatusOf(control_plane, namespace, "chair")
    assert (job.write(status), job.read()) == (status, status)


def test_any_status_can_follow_any_other_but_for_a_later_attempt(control_plane: ControlPlane, namespace: str) -> None:
    unfinished: list[ReconstructionJobStatus] = [
        status
        for param in STATUSES
        if isinstance(status := param.values[0], ReconstructionJobStatus) and not status.phase.finished
    ]
    jobs = (StatusOf(control_plane, namespace, f"chair-{number}") for number in itertools.count())
    for number in {status.execution_attempts for status in unfinished}:
        same = [status for status in unfinished if status.execution_attempts == number]
        later = [status for status in unfinished if status.execution_attempts > number]
        job = next(jobs)
        for status in every_pair(same):
            assert (job.write(status), job.read()) == (status, status)
        for before, after in itertools.product(same, later):
            job = next(jobs)  # a number never goes back
            assert (job.write(before), job.write(after)) == (before, after)
            assert job.read() == after


def every_pair(statuses: list[ReconstructionJobStatus]) -> list[ReconstructionJobStatus]:
    """Return a walk in which each status follows each other one once."""
    if len(statuses) < 2:
        return []
    others = {place: [other for other in range(len(statuses)) if other != place] for place in range(len(statuses))}
    walk, way = [], [0]
    while way:  # Hierholzer's: go on where a way is left, else the place is the last one of what is still open
        if left := others[way[-1]]:
            way.append(left.pop())
        else:
            walk.append(statuses[way.pop()])
    return walk
