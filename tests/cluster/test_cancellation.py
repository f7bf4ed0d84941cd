"""Cancelling in two steps, at any point of a job's life."""

from datetime import UTC, datetime

from recon_api.reasons import CANCELLATION_EXPIRED
from recon_api.status import CancellationState, ConditionStatus, ConditionType, Phase
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for


def request(job: Job) -> None:
    """Do the first step, and wait until the operator has seen it."""
    assert job.patch(cancellation="Requested").returncode == 0
    status = job.wait_until(
        "says that a cancellation is requested", lambda s: has_condition(s, ConditionType.CANCELLATION_REQUESTED)
    )
    assert status.cancellation
    assert status.cancellation.state is CancellationState.REQUESTED
    assert status.cancellation.expires_at


def confirm(job: Job) -> None:
    """Do the second step."""
    assert job.patch(cancellation="Confirmed").returncode == 0


def test_a_running_job_is_cancelled(shared_system: System) -> None:
    job = shared_system.submit(make_job("running", parameters=lasting(300)))
    job.wait_phase(Phase.RUNNING)
    request(job)
    assert job.status().phase is Phase.RUNNING
    confirm(job)
    status = job.wait_phase(Phase.CANCELLED)
    assert has_condition(status, ConditionType.CANCELLED)
    assert status.cancellation
    assert status.cancellation.state is CancellationState.CANCELLED
    assert not (shared_system.outputs / "running").exists()
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])
    shared_system.submit(make_job("after-running")).wait_phase(Phase.SUCCEEDED)


def test_a_queued_job_is_cancelled_and_never_starts(shared_system: System) -> None:
    blocker = shared_system.submit(make_job("blocker", parameters=lasting(300)))
    blocker.wait_phase(Phase.RUNNING)
    jobs = [shared_system.submit(make_job(f"queued-{number}")) for number in range(3)]
    for job in jobs:
        job.wait_phase(Phase.QUEUED)
        request(job)
        confirm(job)
    for job in jobs:
        status = job.wait_phase(Phase.CANCELLED)
        assert status.start_time is None
    request(blocker)
    confirm(blocker)
    blocker.wait_phase(Phase.CANCELLED)


def test_a_withdrawn_request_changes_nothing(shared_system: System) -> None:
    job = shared_system.submit(make_job("withdrawn", parameters=lasting(8)))
    job.wait_phase(Phase.RUNNING)
    request(job)
    assert job.patch(cancellation=None).returncode == 0
    status = job.wait_phase(Phase.SUCCEEDED)
    assert not has_condition(status, ConditionType.CANCELLATION_REQUESTED)


def test_a_confirmation_without_a_request_is_refused(shared_system: System) -> None:
    job = shared_system.submit(make_job("unasked", parameters=lasting(3)))
    refused = job.patch(cancellation="Confirmed")
    assert refused.returncode != 0
    assert "Requested" in refused.stderr
    job.wait_phase(Phase.SUCCEEDED)


def test_a_request_expires_while_the_operator_is_away(breakable_system: System) -> None:
    breakable_system.operator.stop()
    impatient = breakable_system.operator_with({"CANCELLATION_EXPIRY_S": "4"})
    try:
        impatient.start()
        job = breakable_system.submit(make_job("expires", parameters=lasting(300)))
        job.wait_phase(Phase.RUNNING)
        request(job)
    finally:
        impatient.kill()
    noted = job.status().cancellation
    assert noted
    expires_at = noted.expires_at
    assert expires_at
    wait_for("the request's time is over", lambda: datetime.now(UTC) > expires_at)
    breakable_system.operator.start()  # it reads from the status when the time was over
    status = job.wait_until("has an expired request", lambda s: s.cancellation != noted)
    assert status.cancellation
    assert status.cancellation.state is CancellationState.EXPIRED
    condition = status.condition(ConditionType.CANCELLATION_REQUESTED)
    assert condition
    assert (condition.status, condition.reason) == (ConditionStatus.FALSE, CANCELLATION_EXPIRED.name)
    refused = job.patch(cancellation="Confirmed")
    assert refused.returncode != 0
    assert "the request for cancellation has expired" in refused.stderr
    assert job.status().phase is Phase.RUNNING
