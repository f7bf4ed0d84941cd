"""Jobs that a backup has restored: labels, annotations and specs are there, and no status."""

from collections.abc import Iterator, Mapping

import pytest

from recon_api.resource import FINISHED_LABEL, RESTORED_ANNOTATION
from recon_api.status import ConditionType, Phase
from tests.support.jobs import Job, Manifest, has_condition, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

LABELLED = {FINISHED_LABEL: "true"}


pytestmark = pytest.mark.xdist_group("restored_jobs")  # they share a system


@pytest.fixture(scope="module")
def system(shared_system: System) -> Iterator[System]:
    """A system whose operator holds restored jobs."""
    shared_system.operator.stop()
    holds = shared_system.operator_with({"RESTORED_JOBS": "Hold"}).start()
    yield shared_system
    holds.stop()
    shared_system.operator.start()


def manifest(name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Manifest:
    job = make_job(name)
    return job | {"metadata": {"name": name, "labels": dict(labels), "annotations": dict(annotations)}}


def annotate(job: Job, value: str) -> None:
    job.kubectl("annotate", "rj", job.name, "--overwrite", f"{RESTORED_ANNOTATION}={value}")


def backup_of(job: Job) -> Manifest:
    """Return what a backup tool keeps of a job: all but its status and what the API server gives it."""
    found = job.object()
    assert found
    kept = {name: found["metadata"].get(name, {}) for name in ("labels", "annotations")}
    return {name: found[name] for name in ("apiVersion", "kind", "spec")} | {"metadata": {"name": job.name, **kept}}


def held(job: Job) -> None:
    status = job.wait_phase(Phase.SUSPENDED)
    assert has_condition(status, ConditionType.SUSPENDED, "Restored")
    assert (f"set its annotation {RESTORED_ANNOTATION} to Run" in status.message, status.execution_attempts) == (
        True,
        0,
    )
    assert not job.is_labelled()


def test_a_finished_job_that_is_restored_is_held_until_somebody_lets_it_run(system: System) -> None:
    job = system.submit(make_job("restored"))
    job.wait_phase(Phase.SUCCEEDED)
    wait_for("it has its label", job.is_labelled)
    backup = backup_of(job)
    job.delete()
    job.wait_gone()

    system.submit(backup)
    held(job)
    annotate(job, "Run")
    status = job.wait_phase(Phase.SUCCEEDED)
    suspended = status.condition(ConditionType.SUSPENDED)
    assert suspended
    assert (suspended.status, suspended.reason, status.execution_attempts) == ("False", "Resumed", 1)


@pytest.mark.parametrize(
    ("name", "labels", "annotations"),
    [
        pytest.param("copied", LABELLED, {}, id="a copy with the label, which looks the same"),
        pytest.param(
            "held-before", {}, {RESTORED_ANNOTATION: "Hold"}, id="a job that was held when the backup was made"
        ),
        pytest.param("odd", LABELLED, {RESTORED_ANNOTATION: "maybe"}, id="an annotation that nobody can read"),
    ],
)
def test_what_is_held(system: System, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
    job = system.submit(manifest(name, labels, annotations))
    held(job)
    annotate(job, "Run")
    job.wait_phase(Phase.SUCCEEDED)


@pytest.mark.parametrize(
    ("name", "labels", "annotations"),
    [
        pytest.param("new", {}, {}, id="a new job"),
        pytest.param("says-run", LABELLED, {RESTORED_ANNOTATION: "Run"}, id="one whose annotation says Run"),
        pytest.param(
            "other-label", {"team": "shop"}, {"team": "shop"}, id="a job that waited when the backup was made"
        ),
    ],
)
def test_what_runs(system: System, name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
    system.submit(manifest(name, labels, annotations)).wait_phase(Phase.SUCCEEDED)


def test_a_job_with_a_status_is_not_held(system: System) -> None:
    job = system.submit(make_job("suspended", suspend=True))
    job.wait_phase(Phase.SUSPENDED)
    job.kubectl("label", "rj", job.name, f"{FINISHED_LABEL}=true")
    job.patch(suspend=False)
    job.wait_phase(Phase.SUCCEEDED)
    assert RESTORED_ANNOTATION not in (job.object() or {})["metadata"].get("annotations", {})


def test_a_held_job_can_be_cancelled_and_deleted(system: System) -> None:
    job, other = (system.submit(manifest(name, LABELLED, {})) for name in ("cancelled", "deleted"))
    held(job)
    held(other)
    job.patch(cancellation="Requested")
    job.wait_until("notes the request", lambda status: status.cancellation is not None)
    job.patch(cancellation="Confirmed")
    job.wait_phase(Phase.CANCELLED)
    other.delete()
    other.wait_gone()


def test_by_default_a_restored_job_runs(idle_system: System) -> None:
    system = idle_system.start()
    system.submit(manifest("restored", LABELLED, {})).wait_phase(Phase.SUCCEEDED)
    job = system.submit(manifest("held", LABELLED, {RESTORED_ANNOTATION: "Hold"}))
    held(job)
