"""A pool that asks for GPUs waits for a node that has them, says so, and works once there is one."""

import os

import pytest

from recon_api.status import ConditionType, Phase
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.gpus import ADVERTISE, RESOURCE, a_gpu, gpu_nodes
from tests.support.e2e.installation import START_S, Installation
from tests.support.e2e.tenants import Tenant
from tests.support.waiting import wait_for


def test_a_pool_with_gpus(cluster: RealCluster, installation: Installation, tenant: Tenant) -> None:
    if gpu_nodes(cluster):
        pytest.skip("this cluster has GPUs already")
    if not os.environ.get(ADVERTISE):
        pytest.skip(f"{ADVERTISE} is not set")
    pools = [{"name": "default"}, {"name": "gpu", "gpuClass": "big", "gpus": 1}]
    installation.helm(
        values={"worker": {"pools": pools}}
    )  # its Pods can't all be ready yet, so that nothing waits for them
    try:
        job = tenant.submit("big", gpuClass="big")
        queued = job.wait_until("waits for a worker", lambda s: bool(s.condition(ConditionType.QUEUED)))
        told = queued.condition(ConditionType.QUEUED)
        assert told
        assert told.reason == "NoWorkers"
        assert told.message == "No worker of gpuClass big is connected; the job waits for one"
        labels = {"reconstruction.dev/pool": "gpu"}
        [pod] = wait_for("its Pod is there", lambda: installation.objects("pods", "worker", **labels))
        name = pod["metadata"]["name"]
        wait_for(
            "the Pod's events say what is missing",
            lambda: f"Insufficient {RESOURCE}" in installation.events(installation.namespace, name=name),
        )
        with a_gpu(cluster):
            status = job.wait_phase(Phase.SUCCEEDED, within_s=START_S)
            assert [attempt.worker for attempt in status.attempts] == [name]
    finally:
        installation.install()
