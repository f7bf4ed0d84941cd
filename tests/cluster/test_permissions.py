"""What the operator may do in the cluster is what it does, by the API server's own audit log."""

from collections.abc import Iterable

from recon_api.status import Phase
from recon_dev.control_plane import OPERATOR_ACCOUNT
from recon_dev.service_account import NAME
from recon_operator.permissions import (
    PERMISSIONS,
    SECRETS,
    WORKER_POD_PERMISSIONS,
    Permission,
    lease_permissions,
)
from recon_operator.scheduling.pod_deletion_cost import BUSY
from tests.support.audit import requests
from tests.support.jobs import lasting, make_job
from tests.support.operators import Operators, operators_of
from tests.support.pods import POOL, Pods
from tests.support.system import System
from tests.support.waiting import wait_for

Right = tuple[str, str, str]
"""API group, resource and verb."""


def rights(permissions: Iterable[Permission]) -> set[Right]:
    return {
        (each.api_group, resource, verb) for each in permissions for resource in each.resources for verb in each.verbs
    }


def live_a_little(system: System, operators: Operators, pods: Pods) -> None:
    """Have jobs run, be cancelled, suspended, deleted and removed after their time, and a leader follow another."""
    marks = {"WORKER_NAMESPACE": pods.namespace, "WORKER_SELECTOR": POOL}
    first = operators.start("first", extra_env=marks)
    short_lived = system.submit(make_job("short-lived", ttlSecondsAfterFinished=0))
    short_lived.wait_gone()
    asking = system.submit(make_job("asking", input={"url": "https://example.com/a.zip", "secretName": "missing"}))
    asking.wait_phase(Phase.FAILED)
    job = system.submit(make_job("cancelled", parameters=lasting(60)))
    pods.make(job.wait_phase(Phase.RUNNING).attempts[-1].worker)
    assert job.patch(suspend=True).returncode == 0
    job.wait_phase(Phase.SUSPENDED)
    assert job.patch(cancellation="Requested").returncode == 0
    assert job.patch(cancellation="Confirmed").returncode == 0
    job.wait_phase(Phase.CANCELLED)
    first.part.stop()
    operators.start("second", extra_env=marks)
    deleted = system.submit(make_job("deleted", parameters=lasting(60)))
    deleted.wait_phase(Phase.RUNNING)
    wait_for("the busy worker's Pod is marked", lambda: BUSY in pods.costs().values())
    deleted.delete()
    deleted.wait_gone()


def test_every_right_is_used_and_nothing_is_refused(idle_system: System) -> None:
    idle_system.redis.start()
    idle_system.worker.start()
    pods = Pods(idle_system.control_plane)
    pods.let("/".join(OPERATOR_ACCOUNT))
    with operators_of(idle_system) as operators:
        live_a_little(idle_system, operators, pods)
        credentials = {each.credential for each in operators.all}
    log = idle_system.control_plane.state.audit_log
    made = [request for request in requests(log) if request.credential in credentials]

    refused = [request for request in made if request.code in {401, 403}]
    assert not refused
    granted = rights((*PERMISSIONS, SECRETS, *lease_permissions(NAME), *WORKER_POD_PERMISSIONS))
    used = {(request.group, request.resource, request.verb) for request in made}
    assert used - granted == set(), "it was let do more than is written down"
    assert granted - used == set(), "it may do more than it does"
    assert {request.name for request in made if request.resource == "leases"} == {NAME}
    at_pods = {request.namespace for request in made if request.resource == "pods"}
    assert at_pods == {pods.namespace}
    assert {request.namespace for request in made if request.resource != "pods"} == {idle_system.namespace}
