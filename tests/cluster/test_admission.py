"""The API server itself refuses a bad manifest, with a sentence that says what to do."""

import json
import subprocess
from copy import deepcopy
from typing import Any

import pytest

from tests.support.control_plane import ControlPlane

Manifest = dict[str, Any]


def job(name: str = "chair", **spec: Any) -> Manifest:
    """A job that is in order, but for what the spec here changes; None removes a field."""
    fields = {"input": {"path": "chair"}} | spec
    return {
        "apiVersion": "reconstruction.dev/v1",
        "kind": "ReconstructionJob",
        "metadata": {"name": name},
        "spec": {key: value for key, value in fields.items() if value is not None},
    }


class Kubectl:
    """kubectl in a namespace of the test's own."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._base = [control_plane.kubectl, "--kubeconfig", str(control_plane.kubeconfig), "-n", namespace]

    def __call__(self, *args: str, stdin: object = None) -> subprocess.CompletedProcess[str]:
        text = None if stdin is None else json.dumps(stdin)
        return subprocess.run([*self._base, *args], input=text, capture_output=True, text=True, check=False)

    def apply(self, manifest: Manifest) -> None:
        """Create or change an object; it must be accepted."""
        done = self("apply", "-f", "-", stdin=manifest)
        assert done.returncode == 0, done.stderr

    def patch(self, name: str, spec: Manifest) -> subprocess.CompletedProcess[str]:
        """Change some fields of a job's spec."""
        return self("patch", "rj", name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def patch_status(self, name: str, status: Manifest) -> subprocess.CompletedProcess[str]:
        """Change some fields of a job's status, as the operator does."""
        return self("patch", "rj", name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    """kubectl in the test's namespace."""
    return Kubectl(control_plane, namespace)


def rules(**rule: Any) -> Manifest:
    """A failure policy of one rule."""
    return {"rules": [{"action": "Ignore"} | rule]}


BAD_AT_CREATION = [
    pytest.param({"input": {"path": "a", "url": "https://b/c"}}, "name one input: set either path", id="two inputs"),
    pytest.param({"input": {}}, "name one input: set either path", id="an input that names nothing"),
    pytest.param({"input": None}, "name the photos: set spec.input.path", id="no input"),
    pytest.param({"input": {"path": "/etc"}}, "without a leading '/'", id="an absolute path"),
    pytest.param({"input": {"path": "../other"}}, "'..' is not allowed", id="a path that leads outside"),
    pytest.param({"input": {"path": "a/../../b"}}, "'..' is not allowed", id="a path that leads outside further on"),
    pytest.param({"input": {"path": ""}}, "should be at least 1 chars long", id="an empty path"),
    pytest.param({"input": {"path": "a\\b"}}, "must not have control characters", id="a path with a backslash"),
    pytest.param({"input": {"url": "ftp://host/x"}}, "must be a URL that starts with https://", id="an unknown scheme"),
    pytest.param({"input": {"url": "http://host/x"}}, "must be a URL that starts with https://", id="an unsafe scheme"),
    pytest.param({"input": {"path": "a", "secretName": "s"}}, "so remove secretName", id="a secret without a URL"),
    pytest.param({"input": {"url": "s3://b/c", "secretName": "No!"}}, "spec.input.secretName", id="a bad secret name"),
    pytest.param({"model": "Multi View"}, "spec.model in body should match", id="a model name with a space"),
    pytest.param({"parameters": {"quality": "best"}}, 'supported values: "draft", "standard", "high"', id="a quality"),
    pytest.param({"parameters": {"formats": ["stl"]}}, 'supported values: "glb", "ply", "obj"', id="a format"),
    pytest.param({"parameters": {"formats": []}}, "should have at least 1 items", id="no format"),
    pytest.param({"parameters": {"formats": ["glb", "glb"]}}, "Duplicate value", id="a format twice"),
    pytest.param({"parameters": {"targetFaces": -5}}, "greater than or equal to 100", id="a negative number of faces"),
    pytest.param({"parameters": {"maxImageSize": 10**6}}, "less than or equal to 16384", id="a huge image size"),
    pytest.param({"parameters": {"seed": -1}}, "greater than or equal to 0", id="a negative seed"),
    pytest.param({"parameters": {"texture": "yes"}}, "must be of type boolean", id="a texture that is no bool"),
    pytest.param({"output": {"path": "/tmp"}}, "without a leading '/'", id="an absolute output"),
    pytest.param({"output": {"path": "a", "url": "s3://b/c"}}, "name one place for the output", id="two outputs"),
    pytest.param({"gpuClass": "A100!"}, "spec.gpuClass in body should match", id="a bad GPU class"),
    pytest.param({"priority": 5000}, "less than or equal to 1000", id="too high a priority"),
    pytest.param({"priority": "high"}, "must be of type integer", id="a priority in words"),
    pytest.param({"backoffLimit": -1}, "greater than or equal to 0", id="a negative backoff limit"),
    pytest.param({"activeDeadlineSeconds": 0}, "greater than or equal to 1", id="a deadline of nothing"),
    pytest.param({"activeDeadlineSeconds": 10**12}, "less than or equal to 2147483647", id="a huge deadline"),
    pytest.param({"preRunningDeadlineSeconds": -5}, "greater than or equal to 1", id="a negative queue deadline"),
    pytest.param({"ttlSecondsAfterFinished": -1}, "greater than or equal to 0", id="a negative time to live"),
    pytest.param(
        {"retryStrategy": {"backoff": {"duration": "soon"}}}, "must be a duration such as 10s", id="a bad duration"
    ),
    pytest.param(
        {"retryStrategy": {"backoff": {"duration": "1h", "maxDuration": "1m"}}},
        "duration must not be longer than maxDuration",
        id="a backoff beyond its limit",
    ),
    pytest.param({"failurePolicy": rules()}, "a rule needs something to match", id="a rule that matches nothing"),
    pytest.param(
        {"failurePolicy": rules(onMessagePatterns=["(oops"])}, "is not a regular expression", id="a bad pattern"
    ),
    pytest.param(
        {"failurePolicy": rules(onReasons=["X"], action="Panic")}, 'supported values: "FailJob"', id="an unknown action"
    ),
    pytest.param({"managedBy": "me"}, "spec.managedBy in body should match", id="a manager without a domain"),
    pytest.param({"cancellation": "Confirmed"}, "can't be created with a confirmed", id="confirmed at creation"),
    pytest.param({"cancellation": "Now"}, 'supported values: "Requested", "Confirmed"', id="an unknown cancellation"),
    pytest.param({"colour": "red"}, 'unknown field "spec.colour"', id="an unknown field"),
]


@pytest.mark.parametrize(("spec", "sentence"), BAD_AT_CREATION)
def test_a_bad_manifest_is_refused(kubectl: Kubectl, spec: Manifest, sentence: str) -> None:
    done = kubectl("create", "-f", "-", stdin=job(**spec))
    assert done.returncode != 0
    assert sentence in done.stderr


GOOD = [
    pytest.param({}, id="the shortest job"),
    pytest.param({"input": None, "model": "synthetic"}, id="a synthetic job without an input"),
    pytest.param({"input": {"url": "s3://bucket/photos.zip", "secretName": "s3"}}, id="a URL with a secret"),
    pytest.param({"input": {"path": "a..b/..c"}}, id="dots in a name"),
    pytest.param({"parameters": {"quality": "high", "formats": ["glb", "obj"], "own": {"key": 1}}}, id="a model's key"),
    pytest.param({"failurePolicy": rules(onMessagePatterns=["CUDA .* memory"])}, id="a pattern"),
    pytest.param(
        {"retryStrategy": {"backoff": {"duration": "500ms", "factor": 3, "maxDuration": "1m30s"}}}, id="backoff"
    ),
]


@pytest.mark.parametrize("spec", GOOD)
def test_a_good_manifest_is_taken(kubectl: Kubectl, spec: Manifest) -> None:
    done = kubectl("create", "-f", "-", stdin=job(**spec))
    assert done.returncode == 0, done.stderr


def test_a_new_job_is_pending(kubectl: Kubectl) -> None:
    kubectl.apply(job(managedBy="example.com/nobody"))
    assert kubectl("get", "rj", "chair", "-o", "jsonpath={.status.phase}").stdout == "Pending"


FULL = job(
    model="multiview",
    output={"path": "there"},
    activeDeadlineSeconds=60,
    preRunningDeadlineSeconds=60,
    managedBy="example.com/nobody",
)

BAD_CHANGES = [
    pytest.param({"input": {"path": "table"}}, "spec.input can't be changed", id="another input"),
    pytest.param({"model": "vggt"}, "spec.model can't be changed", id="another model"),
    pytest.param({"model": None}, "spec.model can't be changed", id="no model any more"),
    pytest.param({"parameters": {"quality": "high"}}, "spec.parameters can't be changed", id="another quality"),
    pytest.param({"parameters": {"own": 1}}, "spec.parameters can't be changed", id="another key of the model's own"),
    pytest.param({"output": {"path": "here"}}, "spec.output can't be changed", id="another output"),
    pytest.param({"gpuClass": "h200"}, "spec.gpuClass can't be changed", id="another GPU class"),
    pytest.param({"backoffLimit": 9}, "spec.backoffLimit can't be changed", id="another backoff limit"),
    pytest.param(
        {"retryStrategy": {"backoff": {"factor": 3}}}, "spec.retryStrategy can't be changed", id="another backoff"
    ),
    pytest.param(
        {"failurePolicy": rules(onReasons=["X"])}, "spec.failurePolicy can't be changed", id="another failure policy"
    ),
    pytest.param({"activeDeadlineSeconds": 61}, "spec.activeDeadlineSeconds can't be changed", id="another deadline"),
    pytest.param(
        {"preRunningDeadlineSeconds": None}, "spec.preRunningDeadlineSeconds can't be changed", id="no queue deadline"
    ),
    pytest.param({"managedBy": "example.com/me"}, "spec.managedBy can't be changed", id="another manager"),
    pytest.param({"cancellation": "Confirmed"}, "a cancellation takes two steps", id="a confirm without a request"),
]


@pytest.mark.parametrize(("change", "sentence"), BAD_CHANGES)
def test_a_bad_change_is_refused(kubectl: Kubectl, change: Manifest, sentence: str) -> None:
    kubectl.apply(deepcopy(FULL))
    done = kubectl.patch("chair", change)
    assert done.returncode != 0
    assert sentence in done.stderr


def test_what_may_change_can_be_changed(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    done = kubectl.patch("chair", {"priority": 7, "suspend": True, "ttlSecondsAfterFinished": 60})
    assert done.returncode == 0, done.stderr


def test_a_confirmed_cancellation_stays(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    for step in ("Requested", "Confirmed"):
        assert kubectl.patch("chair", {"cancellation": step}).returncode == 0
    for change in (None, "Requested"):
        done = kubectl.patch("chair", {"cancellation": change})
        assert "is confirmed and can't be taken back" in done.stderr


def test_a_request_can_be_withdrawn(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch("chair", {"cancellation": "Requested"}).returncode == 0
    assert kubectl.patch("chair", {"cancellation": None}).returncode == 0
    assert "a cancellation takes two steps" in kubectl.patch("chair", {"cancellation": "Confirmed"}).stderr


def test_an_expired_request_is_not_confirmed(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch("chair", {"cancellation": "Requested"}).returncode == 0
    assert kubectl.patch_status("chair", {"cancellation": {"state": "Expired"}}).returncode == 0
    assert "the request for cancellation has expired" in kubectl.patch("chair", {"cancellation": "Confirmed"}).stderr


@pytest.mark.parametrize("phase", ["Succeeded", "Failed", "Cancelled"])
def test_a_finished_phase_is_never_left(kubectl: Kubectl, phase: str) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch_status("chair", {"phase": phase}).returncode == 0
    assert "a finished job stays as it ended" in kubectl.patch_status("chair", {"phase": "Running"}).stderr
