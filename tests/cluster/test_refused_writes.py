"""Statuses that the API server refuses to take: said where it can still be said, tried again ever less often, and made up for."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from kubernetes import client

from recon_api.resource import GROUP, PLURAL
from recon_api.spec import MAX_PARAMETERS_BYTES
from recon_api.status import ConditionType, Phase
from tests.support.audit import Request, credential_of, requests
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.observed import scrape, total
from tests.support.system import System
from tests.support.waiting import wait_for

POLICIES = "admissionregistration.k8s.io/v1"
TRIES = 5
"""Of which the last ones are seconds apart, while progress wakes the job more than once a second."""


@contextmanager
def policy(system: System, expression: str, operations: tuple[str, ...] = ("UPDATE",)) -> Iterator[None]:
    """Have the API server refuse updates of the namespace's jobs and of their statuses for which the expression is false."""
    kubectl, name = system.control_plane.run_kubectl, f"refuse-{system.namespace}"
    matches: Mapping[str, Any] = {
        "resourceRules": [
            {
                "apiGroups": [GROUP],
                "apiVersions": ["*"],
                "operations": list(operations),
                "resources": [PLURAL, f"{PLURAL}/status"],
            }
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": system.namespace}},
    }
    spec = {"failurePolicy": "Fail", "matchConstraints": matches, "validations": [{"expression": expression}]}
    binding = {"policyName": name, "validationActions": ["Deny"]}
    kubectl.apply(
        {"apiVersion": POLICIES, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec},
        {
            "apiVersion": POLICIES,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": binding,
        },
    )
    try:
        yield
    finally:
        kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", name)


def refused(system: System, job: Job) -> list[Request]:
    """Return the operator's writes of a job that were refused."""
    credential = credential_of(system.state.operator_kubeconfig)
    log = system.control_plane.state.audit_log
    return [
        each
        for each in requests(log)
        if (each.namespace, each.name, each.credential) == (job.namespace, job.name, credential) and each.code >= 400
    ]


def refused_jobs(system: System) -> float:
    """Return of how many jobs writes are refused, as the operator's metrics have it."""
    return total(scrape(f"http://127.0.0.1:{system.settings.operator_port}"), "reconstruction_refused_writes_jobs")


A_CHANGE = ("annotate", "--dry-run=server", "rj")
"""kubectl's arguments of a change that is checked and not made."""


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        pytest.param("new", {}, id="a job that nobody has seen"),
        pytest.param("runs", {"parameters": lasting(12)}, id="a job that runs"),
    ],
)
def test_it_is_said_and_made_up_for(shared_system: System, name: str, spec: dict[str, Any]) -> None:
    job, waiting = None, shared_system.submit(make_job(f"waits-beside-{name}", suspend=True))
    waiting.wait_phase(Phase.SUSPENDED)
    if spec:
        job = shared_system.submit(make_job(name, **spec))
        job.wait_phase(Phase.RUNNING)
    with policy(shared_system, "false"):
        # The API server takes a moment to hear of it.
        wait_for("the policy holds", lambda: waiting.kubectl(*A_CHANGE, waiting.name, "a=b").returncode != 0)
        job = job or shared_system.submit(make_job(name, **spec))
        said = wait_for(
            "an event says it", lambda: [note for reason, note in job.events() if reason == "StatusNotWritten"]
        )
        assert "403" in said[0] or "422" in said[0]
        wait_for("the metrics have it", lambda: refused_jobs(shared_system) == 1)
    job.wait_phase(Phase.SUCCEEDED)
    wait_for("the metrics have it no longer", lambda: refused_jobs(shared_system) == 0)
    assert len([reason for reason, _ in job.events() if reason == "StatusNotWritten"]) == 1


def test_progress_does_not_end_the_back_off(shared_system: System) -> None:
    job = shared_system.submit(make_job("hot", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    with policy(shared_system, "false"):
        wait_for(f"{TRIES} writes are refused", lambda: len(refused(shared_system, job)) >= TRIES)
    times = [each.at for each in refused(shared_system, job)][:TRIES]
    waits_s = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert all(wait_s >= 0.2 * 2**number * 0.9 for number, wait_s in enumerate(waits_s)), waits_s
    job.delete()
    job.wait_gone()


def test_a_change_of_the_spec_ends_the_back_off(shared_system: System) -> None:
    job = shared_system.submit(make_job("mended", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    with policy(shared_system, "object.spec.priority == 7"):
        wait_for(f"{TRIES} writes are refused", lambda: len(refused(shared_system, job)) >= TRIES)
        assert job.patch(priority=7).returncode == 0
        job.wait_until("is written", lambda s: s.observed_generation == 2)
    job.delete()
    job.wait_gone()


def test_parameters_that_leave_no_room_for_a_status_fail_the_job(shared_system: System) -> None:
    blob = "x" * MAX_PARAMETERS_BYTES
    job = shared_system.submit(make_job("large", parameters={"noop": True, "blob": blob}))
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "InvalidSpec")
    assert f"and {MAX_PARAMETERS_BYTES} are allowed" in status.message


@pytest.mark.parametrize("levels", [60, 300, 2_000, 9_000])
def test_parameters_that_are_too_deep_fail_the_job_and_no_other(shared_system: System, levels: int) -> None:
    operator = shared_system.operator.pid
    manifest = json.dumps(make_job(f"deep-{levels}", parameters={"noop": True, "blob": "here"}))
    text = manifest.replace('"here"', '{"a":' * levels + "1" + "}" * levels)
    path = f"/apis/{GROUP}/v1/namespaces/{shared_system.namespace}/{PLURAL}"
    shared_system.control_plane.run_kubectl("create", "--raw", path, "-f", "-", stdin=text)
    name = f"deep-{levels}"
    wait_for("it has failed", lambda: said_of(shared_system, name) == "Failed")
    shared_system.submit(make_job(f"beside-{levels}")).wait_phase(Phase.SUCCEEDED)
    assert (shared_system.operator.runs(), shared_system.operator.pid) == (True, operator)
    shared_system.control_plane.run_kubectl("delete", "rj", "-n", shared_system.namespace, name)


def said_of(system: System, name: str) -> str:
    """Return the phase of a job as kubectl shows it: its object is too deep for this process to decode."""
    return system.control_plane.run_kubectl(
        "get", "rj", name, "-n", system.namespace, "-o", "jsonpath={.status.phase}"
    ).strip()


def test_a_job_that_is_as_large_as_it_can_be_is_told_by_an_event(shared_system: System) -> None:
    job = largest(shared_system)
    said = wait_for("an event says it", lambda: [note for reason, note in job.events() if reason == "StatusNotWritten"])
    assert "too large" in said[0]
    job.delete()
    job.wait_gone()


def largest(system: System) -> Job:
    """Create the largest job that the API server takes, to within a few bytes."""
    fits, too_large = 1_500_000, 1_600_000
    while too_large - fits > 64:
        size = (fits + too_large) // 2
        job = system.job(f"size-{size}")
        try:
            create(system, job.name, size)
        except client.ApiException:
            too_large = size
        else:
            fits = size
            if too_large - fits > 64:
                job.delete()
                job.wait_gone()
    return system.job(f"size-{fits}") if system.job(f"size-{fits}").object() else create(system, f"size-{fits}", fits)


def create(system: System, name: str, size: int) -> Job:
    """Create a job with a parameter of so many bytes. Raises ApiException where the API server does not take it."""
    manifest = make_job(name, parameters={"noop": True, "blob": "x" * size})
    client.CustomObjectsApi(system.control_plane.api).create_namespaced_custom_object(
        GROUP, "v1", system.namespace, PLURAL, manifest
    )
    return system.job(name)
