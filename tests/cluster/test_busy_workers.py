"""The Pods of busy workers are marked, so that a ReplicaSet that shrinks takes idle ones."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recon_api.status import Phase
from recon_operator.scheduling.pod_deletion_cost import BUSY
from tests.support.control_plane import ControlPlane
from tests.support.jobs import lasting, make_job
from tests.support.pods import POOL, Pods
from tests.support.system import System
from tests.support.waiting import wait_for


@pytest.fixture
def pods(control_plane: ControlPlane) -> Pods:
    """Pods of a namespace of the test's own."""
    return Pods(control_plane)


@pytest.fixture
def system(control_plane: ControlPlane, pods: Pods, tmp_path: Path) -> Iterator[System]:
    """A system whose operator marks those Pods."""
    pods.let("reconstruction-system/reconstruction-operator")
    with ExitStack() as stack:
        marks = {"WORKER_NAMESPACE": pods.namespace, "WORKER_SELECTOR": POOL}
        system = System(control_plane, tmp_path / "system", marks)
        stack.callback(system.stop)
        yield system.start()


def test_a_worker_is_marked_while_it_runs_a_job_and_no_longer(system: System, pods: Pods) -> None:
    job = system.submit(make_job("first", parameters=lasting(300)))
    job.wait_phase(Phase.RUNNING)
    busy = job.status().attempts[-1].worker
    pods.make(busy)
    pods.make("left-by-an-earlier-leader", cost=BUSY)
    pods.make("somebody-elses", cost="7", label="pool=none")
    system.operator.stop()
    system.operator.start()  # a leader that begins takes over what it finds

    wait_for(
        "only the busy worker is marked",
        lambda: (
            pods.costs()
            == {
                busy: BUSY,
                "left-by-an-earlier-leader": "",
                "somebody-elses": "7",
            }
        ),
    )
    job.patch(cancellation="Requested")
    job.patch(cancellation="Confirmed")
    wait_for("nobody is marked any more", lambda: pods.costs()[busy] == "")
