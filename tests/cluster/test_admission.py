"""The API server itself refuses a bad manifest, with a sentence that says what to do."""

import json
import subprocess
import uuid
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from recon_operator.decide.retries import duration_s
from tests.support.control_plane import ControlPlane
from tests.support.parameter_limits import PARAMETER_LIMITS

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


def backoff(**fields: Any) -> Manifest:
    """A retry strategy."""
    return {"backoff": fields}


SAID_BY_KUBERNETES = ("some validation rules were not checked", "Checked value must be of type integer")
"""Lines that it adds where a value has another type than the schema's, whatever our rules say."""

JARGON = ("<nil>", "type conversion", "google.protobuf", "no such", "should match", "'^")


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    """Check that a change was refused with a sentence that a person can act upon."""
    assert done.returncode != 0
    assert sentence in done.stderr
    for line in done.stderr.splitlines():
        if not any(own in line for own in SAID_BY_KUBERNETES):
            assert not [word for word in JARGON if word in line], line


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
    pytest.param(
        {"input": {"url": "s3://b/c", "secretName": "No!"}}, "must be the name of a Secret", id="a bad secret name"
    ),
    pytest.param({"model": "Multi View"}, "must be lower-case letters, digits", id="a model name with a space"),
    pytest.param({"model": ""}, "must be lower-case letters, digits", id="an empty model name"),
    pytest.param({"parameters": {"quality": "best"}}, 'supported values: "draft", "standard", "high"', id="a quality"),
    pytest.param({"parameters": {"formats": ["stl"]}}, 'supported values: "glb", "ply", "obj"', id="a format"),
    pytest.param({"parameters": {"formats": []}}, "should have at least 1 items", id="no format"),
    pytest.param({"parameters": {"formats": ["glb", "glb"]}}, "Duplicate value", id="a format twice"),
    pytest.param({"parameters": {"texture": "yes"}}, "must be of type boolean", id="a texture that is no bool"),
    pytest.param(
        {"parameters": {"texture": True}}, "no model of this version makes a texture", id="a texture, which none makes"
    ),
    pytest.param({"output": {"path": "/tmp"}}, "without a leading '/'", id="an absolute output"),
    pytest.param({"output": {"path": "a", "url": "s3://b/c"}}, "name one place for the output", id="two outputs"),
    pytest.param({"gpuClass": "A100!"}, "must be lower-case letters, digits", id="a bad GPU class"),
    pytest.param({"gpuClass": "x" * 64}, "may not be more than 63 bytes", id="a long GPU class"),
    pytest.param({"priority": "high"}, "must be of type integer", id="a priority in words"),
    pytest.param({"suspend": "yes"}, "must be of type boolean", id="a suspension that is no bool"),
    pytest.param(
        {"retryStrategy": backoff(duration="1h", maxDuration="1m")},
        "duration (10s where left out) must not be longer than maxDuration",
        id="a backoff beyond its limit",
    ),
    pytest.param(
        {"retryStrategy": backoff(maxDuration="5s")},
        "duration (10s where left out) must not be longer than maxDuration",
        id="a limit below the backoff that is left out",
    ),
    pytest.param({"failurePolicy": rules()}, "a rule needs something to match", id="a rule that matches nothing"),
    pytest.param(
        {"failurePolicy": rules(onReasons=["out of memory"])}, "must be the name of a reason", id="a reason in words"
    ),
    pytest.param(
        {"failurePolicy": {"rules": [{"action": "Ignore", "onReasons": ["X"]}] * 21}}, "at most 20 items", id="21 rules"
    ),
    pytest.param(
        {"failurePolicy": rules(onReasons=["X"], action="Panic")}, 'supported values: "FailJob"', id="an unknown action"
    ),
    pytest.param({"managedBy": "me"}, "must name a controller by its domain", id="a manager without a domain"),
    pytest.param({"cancellation": "Confirmed"}, "can't be created with a confirmed", id="confirmed at creation"),
    pytest.param({"cancellation": "Now"}, 'supported values: "Requested", "Confirmed"', id="an unknown cancellation"),
    pytest.param({"colour": "red"}, 'unknown field "spec.colour"', id="an unknown field"),
]


@pytest.mark.parametrize(("spec", "sentence"), BAD_AT_CREATION)
def test_a_bad_manifest_is_refused(kubectl: Kubectl, spec: Manifest, sentence: str) -> None:
    assert_refused(kubectl("create", "-f", "-", stdin=job(**spec)), sentence)


def test_a_manifest_may_say_that_it_wants_no_texture(kubectl: Kubectl) -> None:
    kubectl.apply(job(parameters={"texture": False}))
    changed = kubectl.patch("chair", {"priority": 7})
    assert changed.returncode == 0, changed.stderr


NUMBERS = {
    "priority": (-1000, 1000),
    "backoffLimit": (0, 100),
    "activeDeadlineSeconds": (1, 2**31 - 1),
    "preRunningDeadlineSeconds": (1, 2**31 - 1),
    "ttlSecondsAfterFinished": (0, 2**31 - 1),
    "retryStrategy.backoff.factor": (1, 10),
    **{f"parameters.{name}": limits for name, limits in PARAMETER_LIMITS.items()},
}
"""Every field of the spec that is a number, with the smallest and the largest that it takes."""


def with_number(field: str, value: object) -> Manifest:
    """A job with a number at this place of its spec."""
    *parents, name = field.split(".")
    inner: Manifest = {name: value}
    for parent in reversed(parents):
        inner = {parent: inner}
    return job(f"n-{uuid.uuid4().hex[:8]}", **inner)


def test_no_number_is_forgotten(control_plane: ControlPlane) -> None:
    (version,) = control_plane.run_kubectl.get("crd", "reconstructionjobs.reconstruction.dev")["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]

    def numbers(schema: Manifest, place: str = "") -> set[str]:
        found = {place} if schema["type"] in ("integer", "number") else set()
        for name, inner in schema.get("properties", {}).items():
            found |= numbers(inner, f"{place}.{name}" if place else name)
        return found | (numbers(schema["items"], f"{place}[]") if "items" in schema else set())

    assert numbers(spec) == set(NUMBERS)


@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_has_its_bounds(kubectl: Kubectl, field: str) -> None:
    low, high = NUMBERS[field]
    for allowed in (low, high):
        kubectl.apply(with_number(field, allowed))
    refused: tuple[tuple[object, str], ...] = (
        (low - 1, f"should be greater than or equal to {low}"),
        (-(2**63), f"should be greater than or equal to {low}"),
        (high + 1, f"should be less than or equal to {high}"),
        (2**63 - 1, f"should be less than or equal to {high}"),
        (2**64, "must be of type integer"),
        (10**30, "must be of type integer"),
        (1.5, "must be of type integer"),
        ("1", "must be of type integer"),
    )
    for value, sentence in refused:
        assert_refused(kubectl("create", "-f", "-", stdin=with_number(field, value)), sentence)


@pytest.mark.parametrize("field", ["duration", "maxDuration"])
@pytest.mark.parametrize(
    "value",
    ["", "soon", "10", "-5s", "1d", "s", "10 s", "1e3s", "1.5.5s", "1m30s5", "30s1m", "1h1h", "1234567h", "\u0661s"],
)
def test_a_bad_duration_is_refused(kubectl: Kubectl, field: str, value: str) -> None:
    done = kubectl("create", "-f", "-", stdin=job(retryStrategy=backoff(**{field: value})))
    assert_refused(done, "must be a duration such as 10s, 1m30s or 1h")


@pytest.mark.parametrize("value", ["0s", "500ms", "1.5h", "2h30m5.125s10ms", "999999h999999m999999s999999ms"])
def test_a_good_duration_is_taken(kubectl: Kubectl, value: str) -> None:
    kubectl.apply(job(retryStrategy=backoff(duration=value, maxDuration="999999h999999m999999s999999ms")))
    assert timedelta(seconds=duration_s(value)) < timedelta(days=366 * 120), "it can be added to a time"


@pytest.mark.parametrize("pattern", ["(oops", "[", "*", "a**", "a{1001}", "(?=x)", r"\1", "(?P<n>a"])
def test_a_bad_pattern_is_refused(kubectl: Kubectl, pattern: str) -> None:
    done = kubectl("create", "-f", "-", stdin=job(failurePolicy=rules(onMessagePatterns=[pattern])))
    assert_refused(done, "must be a regular expression in RE2 syntax, such as CUDA.*memory")


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        pytest.param("", "should be at least 1 chars long", id="an empty pattern"),
        pytest.param("x" * 257, "may not be more than 256 bytes", id="a long pattern"),
    ],
)
def test_a_pattern_has_its_bounds(kubectl: Kubectl, pattern: str, sentence: str) -> None:
    assert_refused(kubectl("create", "-f", "-", stdin=job(failurePolicy=rules(onMessagePatterns=[pattern]))), sentence)


def test_an_unknown_field_is_refused_and_else_ignored(kubectl: Kubectl) -> None:
    manifest = job(colour="red")
    assert_refused(kubectl("apply", "-f", "-", stdin=manifest), 'unknown field "spec.colour"')
    assert_refused(kubectl("apply", "--server-side", "-f", "-", stdin=manifest), ".spec.colour: field not declared")
    assert kubectl("apply", "--validate=false", "-f", "-", stdin=manifest).returncode == 0
    assert "colour" not in json.loads(kubectl("get", "rj", "chair", "-o", "json").stdout)["spec"]


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
    assert_refused(kubectl.patch("chair", change), sentence)


def test_every_field_is_immutable_or_may_change(control_plane: ControlPlane) -> None:
    (version,) = control_plane.run_kubectl.get("crd", "reconstructionjobs.reconstruction.dev")["spec"]["versions"]
    fields = set(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])
    tried = {next(iter(row.values[0])) for row in BAD_CHANGES}  # type: ignore[call-overload]
    assert fields == tried | {"priority", "suspend", "ttlSecondsAfterFinished"}


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


def test_an_expired_request_is_withdrawn_before_another_is_made(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch("chair", {"cancellation": "Requested"}).returncode == 0
    assert kubectl.patch_status("chair", {"cancellation": {"state": "Expired"}}).returncode == 0
    assert_refused(kubectl.patch("chair", {"cancellation": "Confirmed"}), "the request for cancellation has expired")
    assert kubectl.patch("chair", {"cancellation": None}).returncode == 0
    assert_refused(kubectl.patch("chair", {"cancellation": "Requested"}), "its withdrawal is not noted yet; try again")
    assert kubectl.patch_status("chair", {"cancellation": {"state": "Withdrawn"}}).returncode == 0
    for step in ("Requested", "Confirmed"):
        assert kubectl.patch("chair", {"cancellation": step}).returncode == 0


def ended(kind: str, status: str = "True") -> Manifest:
    """A condition that says how a job ended, or that it did not."""
    return {"type": kind, "status": status, "reason": "X", "lastTransitionTime": "2026-11-22T12:00:00Z"}


FINAL = {"Succeeded": "Complete", "Failed": "Failed", "Cancelled": "Cancelled"}


NOON, EVENING = "2026-11-22T12:00:00Z", "2026-11-22T20:00:00Z"


def whole(phase: str, **fields: Any) -> Manifest:
    """A status that ends a job."""
    return {"phase": phase, "completionTime": NOON, "conditions": [ended(FINAL[phase])], **fields}


@pytest.mark.parametrize("phase", FINAL)
def test_an_end_is_never_left(kubectl: Kubectl, phase: str) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch_status("chair", whole(phase)).returncode == 0
    other = next(other for other in FINAL if other != phase)
    stays, is_whole = "a finished job stays as it ended", "a job ends by its phase, the one condition of that phase"
    for status, sentence in (
        ({"phase": "Running", "completionTime": None, "conditions": []}, stays),
        (whole(other), stays),
        ({"completionTime": EVENING}, stays),
        ({"phase": "Running"}, is_whole),
        ({"phase": None}, is_whole),
        ({"conditions": []}, is_whole),
        ({"conditions": None}, is_whole),
        ({"conditions": [ended(FINAL[phase], "False")]}, is_whole),
        ({"conditions": [ended(FINAL[phase]), ended(FINAL[other])]}, is_whole),
    ):
        assert_refused(kubectl.patch_status("chair", status), sentence)
    removal = kubectl(
        "patch", "rj", "chair", "--subresource=status", "--type=json", "-p", '[{"op":"remove","path":"/status"}]'
    )
    assert_refused(removal, stays)


@pytest.mark.parametrize("phase", FINAL)
def test_an_end_is_written_whole_or_not_at_all(kubectl: Kubectl, phase: str) -> None:
    kubectl.apply(deepcopy(FULL))
    for status in (
        {"phase": phase},
        {"phase": phase, "completionTime": NOON},
        {"phase": phase, "conditions": [ended(FINAL[phase])]},
        {"phase": "Running", "completionTime": NOON, "conditions": [ended(FINAL[phase])]},
        whole(phase, conditions=[ended(next(kind for kind in FINAL.values() if kind != FINAL[phase]))]),
    ):
        assert_refused(
            kubectl.patch_status("chair", status), "a job ends by its phase, the one condition of that phase"
        )


def test_what_a_finished_job_says_beside_its_end_may_change(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch_status("chair", whole("Failed", conditions=[ended("Failed"), ended("Queued")])).returncode == 0
    changed = {"message": "x", "conditions": [ended("Failed"), ended("Queued", "False")]}
    assert kubectl.patch_status("chair", changed).returncode == 0


def attempts(*numbers: int, is_open: bool = True) -> Manifest:
    """Attempts of these numbers, of which the last one may be open."""
    listed: list[Manifest] = [{"number": number, "endTime": NOON} for number in numbers]
    if is_open:
        del listed[-1]["endTime"]
    return {"executionAttempts": numbers[-1], "attempts": listed}


NEVER_BACK, FIT = "the number of an attempt never goes back", "the last of attempts is number executionAttempts"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        pytest.param(attempts(1, 2), NEVER_BACK, id="an earlier attempt"),
        pytest.param({"executionAttempts": None, "attempts": None}, NEVER_BACK, id="no attempt"),
        pytest.param({"executionAttempts": 0, "attempts": []}, NEVER_BACK, id="attempt 0"),
        pytest.param({"executionAttempts": 9}, FIT, id="a number without its attempt"),
        pytest.param({"attempts": []}, FIT, id="a number, and no attempts"),
        pytest.param({"attempts": [{"number": 4}]}, FIT, id="an attempt beyond the number"),
        pytest.param({"attempts": [{"number": 2}, {"number": 3}]}, FIT, id="two open attempts"),
        pytest.param({"attempts": [{"number": 3, "endTime": NOON}, {"number": 3}]}, FIT, id="one number twice"),
        pytest.param(
            {"attempts": [{"number": 4, "endTime": NOON}, {"number": 3}]}, FIT, id="a later attempt before an earlier"
        ),
        pytest.param(attempts(2**62), "should be less than or equal to 1000000", id="a huge number"),
        pytest.param({"startTime": "0000-01-01T00:00:00Z"}, "should match", id="a year that no calendar has"),
        pytest.param({"startTime": "9999-12-31T23:59:59Z"}, "should match", id="the end of time"),
        pytest.param({"startTime": "2026-11-22T12:00:00+99:99"}, "should match", id="an offset that no place has"),
        pytest.param(
            {"conditions": [ended("Queued"), ended("Queued", "False")]}, "Duplicate value", id="a condition twice"
        ),
    ],
)
def test_a_status_that_cannot_be_true_is_refused(kubectl: Kubectl, status: Manifest, sentence: str) -> None:
    kubectl.apply(deepcopy(FULL))
    assert kubectl.patch_status("chair", attempts(1, 2, 3)).returncode == 0
    assert sentence in kubectl.patch_status("chair", status).stderr


def test_attempts_go_on(kubectl: Kubectl) -> None:
    kubectl.apply(deepcopy(FULL))
    for status in (attempts(1), attempts(1, is_open=False), attempts(1, 2), attempts(1, 2, 7)):
        done = kubectl.patch_status("chair", status)
        assert done.returncode == 0, done.stderr
