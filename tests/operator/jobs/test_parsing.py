"""Jobs of which this version cannot read everything."""

from typing import Any

import pytest
from pydantic import ValidationError

from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.status_patch import dump
from tests.operator.builders import running

YEAR_0, YEAR_9999 = "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
"""Times that a definition may let through: one that no calendar has, and one to which nothing can be added."""


def body(spec: dict[str, Any] | None = None, status: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a job as it comes from the API server."""
    metadata = {"name": "chair", "namespace": "studio", "uid": "uid-1", "resourceVersion": "7"}
    return {
        "metadata": metadata,
        "spec": {"model": "synthetic", "gpuClass": "h200"} | (spec or {}),
        "status": dump(running()) | (status or {}),
    }


def test_a_job_is_read_whole() -> None:
    found = read_job(body())
    assert (found.job.status, found.spec_problem) == (running(), "")


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        pytest.param({"priority": 5000}, "spec.priority", id="a number beyond what is known"),
        pytest.param({"cancellation": "Forced"}, "spec.cancellation", id="an unknown step"),
        pytest.param({"parameters": {"quality": "best"}}, "spec.parameters.quality", id="an unknown quality"),
        pytest.param(
            {"failurePolicy": {"rules": [{"action": "Panic"}]}}, "spec.failurePolicy.rules.0.action", id="a rule"
        ),
        pytest.param({"suspend": "perhaps", "priority": 5000}, "spec.priority", id="two fields"),
        pytest.param({"managedBy": ["me"]}, "spec.managedBy", id="a strange manager"),
    ],
)
def test_a_spec_is_read_but_for_what_is_unknown(spec: dict[str, Any], field: str) -> None:
    found = read_job(body(spec))
    assert found.spec_problem.startswith(f"{field} cannot be read by this version of the operator: ")
    assert found.spec_problem.endswith("; create the job anew, or upgrade the operator")
    assert (found.job.spec.gpu_class, found.job.status) == ("h200", running())


def test_an_unreadable_manager_is_somebody_else() -> None:
    assert not read_job(body({"managedBy": ["me"]})).job.is_ours


def test_an_unknown_field_is_ignored() -> None:
    assert read_job(body({"colour": "red"}, {"colour": "red"})).spec_problem == ""


@pytest.mark.parametrize(
    ("status", "lost"),
    [
        pytest.param({"startTime": YEAR_0}, {"start_time": None}, id="a time"),
        pytest.param({"startTime": YEAR_9999}, {"start_time": None}, id="the end of time"),
        pytest.param({"startTime": "0001-01-01T00:00:00+14:00"}, {"start_time": None}, id="its begin"),
        pytest.param({"conditions": [{"type": "Running"}]}, {"conditions": ()}, id="a condition"),
        pytest.param(
            {"startTime": YEAR_0, "worker": {}, "progress": {"lastUpdatedTime": YEAR_0}},
            {"start_time": None, "worker": None},
            id="several fields",
        ),
        pytest.param({"executionAttempts": -1}, {"execution_attempts": 0}, id="a number"),
    ],
)
def test_a_status_is_read_but_for_what_is_unknown(status: dict[str, Any], lost: dict[str, Any]) -> None:
    found = read_job(body(status=status))
    assert found.spec_problem == ""
    assert found.job.status == running(**lost)


def test_an_object_without_metadata_is_no_job() -> None:
    with pytest.raises(ValidationError):
        read_job({"spec": {}})


def nested(levels: int) -> object:
    return {"inner": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        pytest.param({"blob": "x" * 60_000}, "", id="large ones"),
        pytest.param({"blob": "x" * 65_536}, "bytes as JSON, and 65536 are allowed", id="too large ones"),
        pytest.param({"blob": "写" * 30_000}, "bytes as JSON", id="too large ones, in bytes rather than letters"),
        pytest.param({"blob": nested(40)}, "", id="deep ones"),
        pytest.param({"blob": nested(60)}, "more than 50 levels", id="too deep ones"),
        pytest.param({"blob": nested(900)}, "more than 50 levels", id="ones that no JSON writer would write"),
        pytest.param({"blob": [[[nested(50)]]]}, "more than 50 levels", id="too deep lists"),
    ],
)
def test_parameters_have_bounds(parameters: dict[str, Any], problem: str) -> None:
    found = read_job(body({"parameters": parameters})).spec_problem
    assert problem in found
    assert bool(found) is bool(problem)
