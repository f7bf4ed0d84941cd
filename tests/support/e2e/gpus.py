"""A GPU on a cluster: a real one, or one that a node only advertises."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.e2e.cluster import RealCluster

RESOURCE = "nvidia.com/gpu"
ADVERTISE = "RECON_E2E_ADVERTISE_GPUS"
"""Set where a node may be made to advertise a GPU that it does not have; workers then compute on the CPU."""


def gpu_nodes(cluster: RealCluster) -> list[str]:
    """Return the nodes with GPUs."""
    nodes = cluster.run_kubectl.get("nodes")["items"]
    return [n["metadata"]["name"] for n in nodes if int(n["status"]["allocatable"].get(RESOURCE, 0))]


@contextmanager
def a_gpu(cluster: RealCluster) -> Iterator[None]:
    """Have a node with a GPU for a while. Skips the test where that can't be."""
    if gpu_nodes(cluster):
        yield
        return
    if not os.environ.get(ADVERTISE):
        pytest.skip(f"needs a GPU, or {ADVERTISE}=1 to advertise one that is not there")
    [node, *_] = cluster.run_kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split()
    try:
        _advertise(cluster, node, "1")
        yield
    finally:
        _advertise(cluster, node, None)


def _advertise(cluster: RealCluster, node: str, count: str | None) -> None:
    """Have a node advertise so many GPUs, as Kubernetes' documentation shows for extended resources."""
    change = {"status": {"capacity": {RESOURCE: count}, "allocatable": {RESOURCE: count}}}
    cluster.run_kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", json.dumps(change))
