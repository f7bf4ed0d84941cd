"""A job from `kubectl apply` to its outputs."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from recon_api.crd import unseen_status
from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_api.steps import Step
from tests.support.jobs import has_condition, lasting, make_job, recorded
from tests.support.system import System
from tests.support.waiting import wait_for


def test_a_job_goes_through_its_phases_to_complete(shared_system: System, tmp_path: Path) -> None:
    with recorded(shared_system.control_plane, shared_system.namespace, tmp_path / "watch.json") as states:
        job = shared_system.submit(make_job("life", parameters=lasting(3)))
        status = job.wait_phase(Phase.SUCCEEDED)
        seen = [s.get("status", {}).get("phase") for s in states() if s["metadata"]["name"] == "life"]
    assert list(dict.fromkeys(seen)) == ["Pending", "Queued", "Running", "Succeeded"]
    assert has_condition(status, ConditionType.COMPLETE)
    assert status.condition(ConditionType.FAILED) is None
    assert status.execution_attempts == 1
    assert status.start_time
    assert status.completion_time
    assert status.task_id.endswith(".1")


def test_progress_rises_through_the_steps(shared_system: System, tmp_path: Path) -> None:
    with recorded(shared_system.control_plane, shared_system.namespace, tmp_path / "watch.json") as states:
        shared_system.submit(make_job("rising", parameters=lasting(12))).wait_phase(Phase.SUCCEEDED)
        statuses = [
            ReconstructionJobStatus.model_validate(s["status"]) for s in states() if s["metadata"]["name"] == "rising"
        ]
    progress = [s.progress for s in statuses if s.phase is Phase.RUNNING and s.progress]
    percentages = [p.percentage for p in progress]
    assert percentages == sorted(percentages)
    assert len(set(percentages)) >= 4, percentages
    steps = [p.step for p in progress if p.step]
    assert steps == sorted(steps, key=[step.value for step in Step].index)
    assert statuses[-1].progress
    assert statuses[-1].progress.percentage == 100


def test_outputs_are_where_the_status_says(shared_system: System) -> None:
    status = shared_system.submit(make_job("outputs", parameters={})).wait_phase(Phase.SUCCEEDED)
    assert status.outputs
    for output in status.outputs:
        file = Path(urlsplit(output.uri).path)
        assert file.is_relative_to(shared_system.outputs / "outputs"), output.uri
        assert file.stat().st_size == output.bytes
        assert hashlib.sha256(file.read_bytes()).hexdigest() == output.sha256
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


def test_kubectl_wait_and_get_show_the_end(shared_system: System) -> None:
    job = shared_system.submit(make_job("waited"))
    waited = job.kubectl("wait", "--for=condition=Complete", "rj/waited", "--timeout=60s")
    assert waited.returncode == 0, waited.stderr
    table = job.kubectl("get", "rj", "waited").stdout.splitlines()
    assert dict(zip(table[0].split(), table[1].split(), strict=False))["PHASE"] == "Succeeded"


def test_jobs_run_one_after_the_other_by_priority(shared_system: System) -> None:
    first = shared_system.submit(make_job("first", parameters=lasting(300)))
    first.wait_phase(Phase.RUNNING)
    # One more waits at the worker already; the order of the others is free until then.
    shared_system.submit(make_job("p0")).wait_until("is sent", lambda s: s.execution_attempts == 1)
    jobs = [
        shared_system.submit(make_job(f"p{priority}", priority=priority, parameters=lasting(1.2)))
        for priority in (1, 100)
    ]
    jobs[1].wait_until("is next", lambda s: s.queue is not None and s.queue.position == 1)
    jobs[0].wait_until("is behind", lambda s: s.queue is not None and s.queue.position == 2)
    first.delete()
    for job in jobs:
        job.wait_phase(Phase.SUCCEEDED)
    log = shared_system.worker.log.read_text()  # the statuses' times are whole seconds of when the operator looked
    assert log.index("/p100 attempt 1]") < log.index("/p1 attempt 1]")


@pytest.mark.parametrize(
    ("reason", "attempts"),
    [
        pytest.param("InputRejected", 1, id="the user's move: failed at once"),
        pytest.param("ReconstructionFailed", 2, id="the job's own failure: tried again"),
    ],
)
def test_a_failing_job(shared_system: System, reason: str, attempts: int) -> None:
    manifest = make_job(
        f"fails-{attempts}",
        parameters={"fail": reason},
        backoffLimit=1,
        retryStrategy={"backoff": {"duration": "1s", "maxDuration": "1s"}},
    )
    status = shared_system.submit(manifest).wait_phase(Phase.FAILED)
    assert status.execution_attempts == attempts
    assert has_condition(status, ConditionType.FAILED)
    assert [attempt.reason for attempt in status.attempts] == [reason] * attempts
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


def test_suspend_and_resume(shared_system: System) -> None:
    job = shared_system.submit(make_job("held", suspend=True))
    job.wait_until("is suspended", lambda s: has_condition(s, ConditionType.SUSPENDED))
    job.patch(suspend=False)
    job.wait_phase(Phase.SUCCEEDED)


def test_a_job_of_another_controller_is_left_alone(shared_system: System) -> None:
    """However it is changed, and though it would go first."""
    job = shared_system.submit(make_job("foreign", managedBy="example.com/other", priority=1000))
    assert job.patch(suspend=True).returncode == 0
    assert job.patch(suspend=False, cancellation="Requested").returncode == 0
    shared_system.submit(make_job("ours")).wait_phase(Phase.SUCCEEDED)
    found = job.object()
    assert found
    assert found.get("status", {}) == unseen_status()
    assert not found["metadata"].get("finalizers")
    assert "No resources found" in job.kubectl("get", "events", "--field-selector=involvedObject.name=foreign").stderr
    job.delete()
    job.wait_gone()
