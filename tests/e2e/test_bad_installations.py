"""What is wrong with an installation is said in plain words: by helm, in a job's status, or in events."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import pytest

from recon_api.resource import GROUP, PLURAL
from recon_api.status import Phase
from tests.e2e.conftest import Install
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.installation import HelmError, Installation
from tests.support.jobs import make_job
from tests.support.waiting import wait_for

DEFINITION = f"{PLURAL}.{GROUP}"


def test_a_claim_that_is_missing_is_named_by_helm(install: Install) -> None:
    with pytest.raises(HelmError) as refusal:
        install({"storage": {"existingClaim": "photos"}}, wait=False)
    sentence = "storage.existingClaim: there is no PersistentVolumeClaim named photos in the namespace "
    assert sentence in str(refusal.value)


@pytest.mark.usefixtures("installation")
def test_a_definition_that_is_too_old_is_named_by_helm(cluster: RealCluster, install: Install) -> None:
    with old_definition(cluster), pytest.raises(HelmError) as refusal:
        install({}, wait=False)
    assert "in the cluster is older than this chart: it lacks status.worker" in str(refusal.value)


@contextmanager
def old_definition(cluster: RealCluster) -> Iterator[None]:
    """Have the cluster know a definition from before the status named the worker."""
    kubectl = cluster.run_kubectl
    now = kubectl.get("crd", DEFINITION)["spec"]
    old = deepcopy(now)
    del old["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]["worker"]
    old["versions"][0]["additionalPrinterColumns"] = []  # some of them show it
    try:
        kubectl("patch", "crd", DEFINITION, "--type=merge", "-p", json.dumps({"spec": old}))
        yield
    finally:
        kubectl("patch", "crd", DEFINITION, "--type=merge", "-p", json.dumps({"spec": now}))


def test_a_wrong_redis_password_is_told_in_the_jobs_status(install: Install) -> None:
    made = install({})
    change_password(made, "operator-password")
    wait_for("the operator logs it", lambda: "is refused by Redis" in made.log("operator"))
    job = made.submit(make_job("waiting"), made.namespace)
    told = job.wait_until("says what is wrong", lambda s: "Redis" in (s.message or ""))
    assert told.phase is Phase.QUEUED
    assert "Redis refuses the operator: invalid username-password pair or user is disabled" in told.message
    wait_for(
        "an event says so too", lambda: "Redis refuses the operator" in made.events(made.namespace, name="waiting")
    )
    made.kubectl("rollout", "restart", made.deployment("operator"))
    made.wait_ready("operator")
    job.wait_phase(Phase.SUCCEEDED)


def change_password(made: Installation, key: str) -> None:
    """Change a password in Redis alone: the operator goes on with the one that it started with."""
    [secret] = made.objects("secrets", "redis")
    change = json.dumps({"data": {key: base64.b64encode(b"another").decode()}})
    made.kubectl("patch", "secret", secret["metadata"]["name"], "--type=merge", "-p", change)
    made.kubectl("delete", "pod", *made.pod_names("redis"))
    made.wait_ready("redis")
