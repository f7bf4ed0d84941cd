"""The chart is installed, its own test passes, and photos become a mesh in the storage."""

import json
from hashlib import sha256

import pytest

from recon_api.status import ConditionType, Phase
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.installation import RELEASE, STORAGE, Installation
from tests.support.e2e.tenants import Tenant
from tests.support.jobs import has_condition
from tests.support.photo_sets import real_photos


def test_helm_test_passes(cluster: RealCluster, installation: Installation) -> None:
    done = cluster.helm("test", RELEASE, "-n", installation.namespace, "--logs", "--timeout=300s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Succeeded" in done.stdout


def test_photos_become_a_mesh_in_the_storage(installation: Installation, tenant: Tenant) -> None:
    installation.put_photos(real_photos(), tenant.namespace, "object")
    parameters = {"quality": "draft", "formats": ["glb", "ply"]}
    job = tenant.submit("object", input={"path": "object"}, model="multiview", parameters=parameters)
    status = job.wait_phase(Phase.SUCCEEDED, within_s=900)
    assert has_condition(status, ConditionType.COMPLETE)
    assert job.kubectl("wait", "--for=condition=Complete", "rj/object", "--timeout=10s").returncode == 0
    folder = f"outputs/{tenant.namespace}/object"
    files = installation.files(folder)
    named = {output.name: output for output in status.outputs}
    assert {"mesh.glb", "mesh.ply", "preview.png", "report.json"} <= set(named) <= set(files)
    for name in ("mesh.glb", "preview.png"):
        content = installation.in_worker("cat", f"{STORAGE}/{folder}/{name}")
        assert (len(content), sha256(content).hexdigest()) == (named[name].bytes, named[name].sha256)
    assert installation.in_worker("cat", f"{STORAGE}/{folder}/mesh.glb")[:4] == b"glTF"


@pytest.mark.parametrize(
    ("spec", "reason", "sentence"),
    [
        pytest.param(
            {"model": "multiview", "input": {"path": "nowhere"}, "parameters": {}},
            "InputNotFound",
            "nowhere",
            id="its photos are missing",
        ),
        pytest.param(
            {"model": "reconviagen", "parameters": {}},
            "UnknownModel",
            "no model 'reconviagen' is installed; this worker has multiview",
            id="the image lacks the model",
        ),
        pytest.param(
            {"parameters": {"fail": "WeightsNotFound"}},
            "WeightsNotFound",
            "WeightsNotFound",
            id="the image lacks the model's weights",
        ),
    ],
)
def test_a_job_fails_at_once_and_says_why_when(
    tenant: Tenant, spec: dict[str, object], reason: str, sentence: str
) -> None:
    job = tenant.submit("wrong", **spec)
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, reason)
    assert sentence in (status.message or "")
    assert [attempt.reason for attempt in status.attempts] == [reason]
    assert reason in tenant.installation.events(tenant.namespace, name="wrong") + job.kubectl("describe", "rj").stdout


def test_every_pod_keeps_to_the_restricted_standard(cluster: RealCluster, installation: Installation) -> None:
    """Pods that broke it would have been refused; and none but the operator has a token for the API server."""
    labels = cluster.run_kubectl.get("namespace", installation.namespace)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    with_token = {}
    for component in ("operator", "worker", "redis"):
        pods = installation.pods(component)
        assert pods
        assert all(c["securityContext"]["readOnlyRootFilesystem"] for p in pods for c in p["spec"]["containers"])
        with_token[component] = any("serviceAccountToken" in json.dumps(pod["spec"]) for pod in pods)
    assert with_token == {"operator": True, "worker": False, "redis": False}
