"""Pods, nodes and Redis may go at any time: no job is lost, and none runs twice at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.installation import START_S, Installation
from tests.support.e2e.tenants import Tenant
from tests.support.jobs import Job, has_condition, lasting
from tests.support.waiting import wait_for

INFRASTRUCTURE = {"WorkerLost", "WorkerStopped", "WorkerCrashed", "WorkerDisconnected"}


def assert_complete(job: Job) -> ReconstructionJobStatus:
    """Wait until the job succeeds, and check that no attempt began before the one before it had ended."""
    status = job.wait_phase(Phase.SUCCEEDED, within_s=START_S)
    assert has_condition(status, ConditionType.COMPLETE)
    for earlier, later in zip(status.attempts, status.attempts[1:], strict=False):
        assert earlier.end_time is not None
        assert later.start_time is None or earlier.end_time <= later.start_time
    return status


def test_a_job_whose_worker_is_killed_goes_on_from_its_finished_steps(
    installation: Installation, tenant: Tenant
) -> None:
    job = tenant.submit(parameters=lasting(40), backoffLimit=0)  # a third of it is left until another Pod is ready
    steps = f"work/{(job.object() or {})['metadata']['uid']}/steps"
    killed = job.wait_percentage(65).worker
    assert killed
    finished = installation.files(steps)
    installation.kill(killed.name)
    running = job.wait_until(
        "is with another worker",
        lambda s: s.phase is Phase.RUNNING and s.execution_attempts == 2 and s.worker is not None,
        within_s=START_S,
    )
    installation.wait_ready("worker")
    assert running.worker
    assert running.worker.name != killed.name
    kept = installation.files(steps)
    assert finished.items() <= kept.items()
    status = assert_complete(job)
    assert status.execution_attempts == 2
    assert status.attempts[0].reason in INFRASTRUCTURE


def test_another_operator_takes_over_when_the_leader_is_killed(installation: Installation, tenant: Tenant) -> None:
    running = tenant.submit("running", parameters=lasting(20))
    running.wait_phase(Phase.RUNNING)
    queued = tenant.submit("queued")
    leader = installation.wait_leader()
    installation.kill(leader)
    while_nobody_leads = tenant.submit("while-nobody-leads")
    assert installation.wait_leader(other_than=leader) in installation.pod_names("operator")
    assert assert_complete(running).execution_attempts == 1
    for job in (queued, while_nobody_leads):
        assert assert_complete(job).execution_attempts == 1
    installation.wait_ready("operator")


def test_a_job_survives_the_drain_of_its_node(cluster: RealCluster, installation: Installation, tenant: Tenant) -> None:
    job = tenant.submit(parameters=lasting(20), backoffLimit=0)
    job.wait_percentage(15)
    [worker] = installation.pods("worker")
    with drained(cluster, worker["spec"]["nodeName"], installation):
        wait_for("the worker is gone", lambda: worker["metadata"]["name"] not in installation.pod_names("worker"))
    status = assert_complete(job)
    assert status.execution_attempts == 2
    assert status.attempts[0].reason in INFRASTRUCTURE
    installation.wait_ready("worker")


def test_a_worker_that_has_just_been_started_ends_at_once_when_it_is_asked_to(installation: Installation) -> None:
    for old in installation.pod_names("worker"):
        installation.kill(old)
    new = wait_for(
        "the next worker's container runs", lambda: next(filter(is_started, installation.pods("worker")), None)
    )
    name = new["metadata"]["name"]
    installation.kubectl("delete", "pod", name, "--wait=false")
    assert new["spec"]["terminationGracePeriodSeconds"] > START_S, "one that ignores the signal would pass"
    wait_for("it is gone", lambda: name not in names(installation.objects("pods", "worker")), within_s=START_S)
    installation.wait_ready("worker")


def names(objects: list[dict[str, Any]]) -> set[str]:
    """Return the names of objects."""
    return {each["metadata"]["name"] for each in objects}


def is_started(pod: dict[str, Any]) -> bool:
    """Say whether a Pod's container runs, ready or not, and the Pod is to stay."""
    containers = pod["status"].get("containerStatuses", [])
    return any("running" in each["state"] and not each["ready"] for each in containers)


@contextmanager
def drained(cluster: RealCluster, node: str, installation: Installation) -> Iterator[None]:
    """Close a node to new Pods and evict this installation's workers from it, as `kubectl drain` does; open it again."""
    try:
        cluster.run_kubectl("cordon", node)
        for name in installation.pod_names("worker"):
            installation.evict(name)
        yield
    finally:
        cluster.run_kubectl("uncordon", node)


def test_redis_is_deleted(installation: Installation, tenant: Tenant) -> None:
    running = tenant.submit("running", parameters=lasting(20))
    running.wait_percentage(15)
    queued = tenant.submit("queued")
    installation.kubectl("delete", "pod", *installation.pod_names("redis"))
    assert assert_complete(running).execution_attempts == 1
    assert_complete(queued)
    installation.wait_ready("redis")
