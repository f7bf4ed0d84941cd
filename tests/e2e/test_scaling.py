"""The number of workers changes while they work: the test does what KEDA does by a pool's ScaledObject."""

from collections.abc import Iterator

import pytest

from recon_api.status import Phase
from recon_operator.scheduling.pod_deletion_cost import DELETION_COST
from tests.e2e.conftest import Install
from tests.e2e.test_losses import assert_complete
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.installation import Installation
from tests.support.jobs import lasting, make_job
from tests.support.waiting import wait_for

SCALED_OBJECTS = "scaledobjects.keda.sh"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": SCALED_OBJECTS},
    "spec": {
        "group": "keda.sh",
        "scope": "Namespaced",
        "names": {"plural": "scaledobjects", "singular": "scaledobject", "kind": "ScaledObject"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


@pytest.fixture
def scaled_objects(cluster: RealCluster) -> Iterator[None]:
    """ScaledObjects can be made, even where there is no KEDA."""
    if cluster.run_kubectl.run("get", "crd", SCALED_OBJECTS).returncode == 0:
        yield
        return
    cluster.run_kubectl.apply(DEFINITION)
    cluster.run_kubectl("wait", "--for=condition=Established", f"crd/{SCALED_OBJECTS}")
    yield
    cluster.run_kubectl("delete", "crd", SCALED_OBJECTS)


def is_marked(made: Installation, pod: str) -> bool:
    """Say whether the operator has made a Pod's deletion cost more."""
    return any(
        DELETION_COST in found["metadata"].get("annotations", {})
        for found in made.pods("worker")
        if found["metadata"]["name"] == pod
    )


@pytest.mark.usefixtures("installation", "scaled_objects")
def test_scaling_down_takes_an_idle_worker_and_leaves_the_busy_one(install: Install) -> None:
    made = install({"keda": {"enabled": True, "prometheusAddress": "http://prometheus:9090"}})
    workers = made.deployment("worker")
    made.kubectl("scale", workers, "--replicas=2")
    made.wait_ready("worker")
    job = made.submit(make_job("busy", parameters=lasting(60), backoffLimit=0), made.namespace)
    runs = job.wait_until("runs", lambda s: s.phase is Phase.RUNNING and s.worker is not None)
    assert runs.worker
    busy = runs.worker.name
    wait_for("it is marked as busy", lambda: is_marked(made, busy))
    made.kubectl("scale", workers, "--replicas=1")
    wait_for("one worker is left", lambda: len(made.pod_names("worker")) == 1)
    assert made.pod_names("worker") == {busy}
    assert assert_complete(job).execution_attempts == 1
    wait_for("the mark is gone", lambda: not is_marked(made, busy))
