"""The Pods of busy workers are marked, so that a ReplicaSet that shrinks takes idle ones."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recon_api.status import Phase
from recon_operator.busy_workers import BUSY, DELETION_COST
from recon_operator.permissions import WORKER_POD_PERMISSIONS
from tests.support.control_plane import ControlPlane
from tests.support.jobs import lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

POOL = "pool=default"


class Pods:
    """Pods of a namespace that nothing runs."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.kubectl, self.namespace = control_plane.run_kubectl, control_plane.make_namespace()

    def make(self, name: str, cost: str = "", label: str = POOL) -> None:
        """Create a Pod, marked already where a cost is given."""
        key, value = label.split("=")
        metadata = {"name": name, "namespace": self.namespace, "labels": {key: value}}
        annotations = {DELETION_COST: cost} if cost else {}
        spec = {"containers": [{"name": "worker", "image": "none"}], "automountServiceAccountToken": False}
        self.kubectl.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "annotations": annotations}, "spec": spec}
        )

    def costs(self) -> dict[str, str]:
        """Return the marks by the Pods' names."""
        found = self.kubectl.get("pods", "-n", self.namespace)["items"]
        return {pod["metadata"]["name"]: pod["metadata"].get("annotations", {}).get(DELETION_COST, "") for pod in found}

    def let(self, account: str) -> None:
        """Give an account the rights that marking takes."""
        rules = [permission.to_rule() for permission in WORKER_POD_PERMISSIONS]
        metadata = {"name": "mark", "namespace": self.namespace}
        group, subject = "rbac.authorization.k8s.io", dict(zip(("namespace", "name"), account.split("/"), strict=True))
        self.kubectl.apply(
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": "mark"},
                "subjects": [{"kind": "ServiceAccount", **subject}],
            },
        )


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
    job = system.submit(make_job("first", parameters=lasting(30)))
    job.wait_phase(Phase.RUNNING)
    busy = job.status().attempts[-1].worker
    pods.make(busy)
    pods.make("left-by-an-earlier-leader", cost=BUSY)
    pods.make("somebody-elses", cost="7", label="pool=none")
    system.operator.stop()
    system.operator.start()  # a leader that begins takes over what it finds

    wait_for("only the busy worker is marked", lambda: pods.costs() == {
        busy: BUSY, "left-by-an-earlier-leader": "", "somebody-elses": "7",
    })  # fmt: skip
    job.patch(cancellation="Requested")
    job.patch(cancellation="Confirmed")
    wait_for("nobody is marked any more", lambda: pods.costs()[busy] == "")
