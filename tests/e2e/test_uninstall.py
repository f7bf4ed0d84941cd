"""Uninstalling leaves nothing that works on, and nothing that hangs."""

from recon_api.status import Phase
from tests.e2e.conftest import Install
from tests.support.e2e.cluster import RealCluster
from tests.support.jobs import lasting, make_job
from tests.support.waiting import wait_for

KINDS = "pods,deployments,statefulsets,jobs,services,secrets,configmaps,serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies"
"""Everything in the namespace but claims and events."""


def test_uninstall_with_jobs_under_way(cluster: RealCluster, install: Install) -> None:
    made = install({})
    running = made.submit(make_job("running", parameters=lasting(600)), made.namespace)
    running.wait_phase(Phase.RUNNING)
    queued = made.submit(make_job("queued", parameters=lasting(600)), made.namespace)
    queued.wait_phase(Phase.QUEUED)
    made.uninstall()
    for job in (running, queued):
        assert not (job.object() or {})["metadata"].get("finalizers")
    wait_for("nothing of the release is left", lambda: not made.objects(KINDS), every_s=1)
    claims = {claim["metadata"]["name"] for claim in made.objects("pvc")}
    assert claims == {"reconstruction-storage"}
    ours = {"app.kubernetes.io/instance": "reconstruction"}
    cluster_wide = cluster.objects("clusterroles,clusterrolebindings", **ours)
    owners = {found["metadata"]["annotations"]["meta.helm.sh/release-namespace"] for found in cluster_wide}
    assert made.namespace not in owners
    for job in (running, queued):
        job.delete()
        job.wait_gone()
