"""By which names the API server knows the operator: as the owner of what it wrote, and in the audit log."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from recon_api.resource import PLURAL
from recon_api.status import Phase
from recon_dev.operator_process import operator
from recon_operator.clients.identity import FIELD_MANAGER, user_agent
from tests.support.audit import Request, requests
from tests.support.jobs import Job, make_job
from tests.support.operators import operators_of
from tests.support.system import QUICK, System


@pytest.fixture
def led_system(idle_system: System) -> Iterator[System]:
    """Redis, a worker, and one operator that leads."""
    idle_system.redis.start()
    idle_system.worker.start()
    with operators_of(idle_system) as operators:
        operators.start("leader")
        yield idle_system


def managers(about: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """Return which parts of an object each manager owns, by its name and the subresource that it wrote."""
    return {
        (entry["manager"], entry.get("subresource", "")): set(entry["fieldsV1"])
        for entry in about["metadata"]["managedFields"]
    }


def listed(job: Job, *what: str) -> Any:
    done = job.kubectl("get", *what, "--show-managed-fields", "-o", "json")
    return json.loads(done.stdout)


def asked(system: System) -> list[Request]:
    """Return what the operator's user has asked of the API server in this namespace."""
    return [r for r in requests(system.control_plane.state.audit_log) if r.namespace == system.namespace]


def test_what_the_operator_writes_is_its_own(led_system: System) -> None:
    job = led_system.submit(make_job())
    job.wait_phase(Phase.SUCCEEDED)
    job.wait_until(
        "is let go of", lambda _: "f:metadata" in managers(listed(job, "rj", job.name)).get((FIELD_MANAGER, ""), ())
    )
    assert managers(listed(job, "rj", job.name))[FIELD_MANAGER, "status"] == {"f:status"}
    events = listed(job, "events.v1.events.k8s.io", f"--field-selector=regarding.name={job.name}")["items"]
    assert {manager for event in events for manager, _ in managers(event)} == {FIELD_MANAGER}

    made = asked(led_system)
    assert {(f"{PLURAL}/status", "patch"), (PLURAL, "list"), (PLURAL, "watch"), ("events", "create")} <= {
        (request.resource, request.verb) for request in made
    }
    assert {request.user_agent for request in made} == {user_agent()}


def test_who_lets_jobs_go_has_a_name_too(idle_system: System) -> None:
    environment = QUICK | {"LEADER_ELECTION": "true", "POD_NAME": "hook"}
    component = operator(
        idle_system.state, idle_system.settings, namespace=idle_system.namespace, extra_env=environment
    )
    component.prepare()
    command = [*component.command, "release-jobs"]
    subprocess.run(command, env=dict(component.env), capture_output=True, timeout=120, check=True)
    assert {request.user_agent for request in asked(idle_system)} == {user_agent("release-jobs")}
