"""What the operator may do in the cluster is what it does, by the API server's own audit log."""

from collections.abc import Iterable

from recon_api.status import Phase
from recon_dev.service_account import NAME
from recon_operator.permissions import PERMISSIONS, Permission, lease_permissions
from tests.support.audit import requests
from tests.support.jobs import lasting, make_job
from tests.support.operators import Operators, operators_of
from tests.support.system import System

Right = tuple[str, str, str]
"""API group, resource and verb."""


def rights(permissions: Iterable[Permission]) -> set[Right]:
    return {
        (each.api_group, resource, verb) for each in permissions for resource in each.resources for verb in each.verbs
    }


def live_a_little(system: System, operators: Operators) -> None:
    """Have jobs run, be cancelled, suspended, deleted and removed after their time, and a leader follow another."""
    first = operators.start("first")
    short_lived = system.submit(make_job("short-lived", ttlSecondsAfterFinished=0))
    short_lived.wait_gone()
    job = system.submit(make_job("cancelled", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    assert job.patch(suspend=True).returncode == 0
    job.wait_phase(Phase.SUSPENDED)
    assert job.patch(cancellation="Requested").returncode == 0
    assert job.patch(cancellation="Confirmed").returncode == 0
    job.wait_phase(Phase.CANCELLED)
    first.part.stop()
    operators.start("second")
    deleted = system.submit(make_job("deleted", parameters=lasting(60)))
    deleted.wait_phase(Phase.RUNNING)
    deleted.delete()
    deleted.wait_gone()


def test_every_right_is_used_and_nothing_is_refused(idle_system: System) -> None:
    idle_system.redis.start()
    idle_system.worker.start()
    with operators_of(idle_system) as operators:
        live_a_little(idle_system, operators)
        credentials = {each.credential for each in operators.all}
    log = idle_system.control_plane.state.audit_log
    made = [request for request in requests(log) if request.credential in credentials]

    refused = [request for request in made if request.code in {401, 403}]
    assert not refused
    granted = rights(PERMISSIONS) | rights(lease_permissions(NAME))
    used = {(request.group, request.resource, request.verb) for request in made}
    assert used - granted == set(), "it was let do more than is written down"
    assert granted - used == set(), "it may do more than it does"
    assert {request.name for request in made if request.resource == "leases"} == {NAME}
    assert {request.namespace for request in made} == {idle_system.namespace}
