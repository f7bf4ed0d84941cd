"""Suspending and resuming at any point of a job's life."""

from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for


def suspend(job: Job) -> ReconstructionJobStatus:
    """Suspend a job, and wait until nothing of it runs."""
    assert job.patch(suspend=True).returncode == 0
    waited = job.kubectl("wait", "--for=condition=Suspended", f"rj/{job.name}", "--timeout=60s")
    assert waited.returncode == 0, waited.stderr
    return job.status()


def resume(job: Job) -> None:
    """Let a job go on."""
    assert job.patch(suspend=False).returncode == 0


def finished_steps(system: System, job: Job) -> dict[str, int]:
    """Return the inode of each finished step of a job."""
    steps = (system.work_folder(job) / "steps").glob("synthetic_*")
    return {folder.name: folder.stat().st_ino for folder in steps}


def test_a_running_job_stops_keeps_its_steps_and_goes_on_from_them(shared_system: System) -> None:
    job = shared_system.submit(make_job("suspended", parameters=lasting(20)))
    job.wait_percentage(20)
    status = suspend(job)
    assert status.phase is Phase.SUSPENDED
    assert not has_condition(status, ConditionType.RUNNING)
    assert (status.attempts[-1].reason, status.failed_attempts, status.ignored_attempts) == ("Suspended", 0, 0)
    assert status.attempts[-1].stop_time
    before = finished_steps(shared_system, job)
    assert any(name.startswith("synthetic_photos") for name in before)
    shared_system.submit(make_job("meanwhile")).wait_phase(Phase.SUCCEEDED)  # the worker is free
    resume(job)
    job.wait_until("goes on", lambda s: s.phase is Phase.RUNNING and s.execution_attempts == 2)
    assert before.items() <= finished_steps(shared_system, job).items()
    status = job.wait_phase(Phase.SUCCEEDED)
    assert not has_condition(status, ConditionType.SUSPENDED)
    assert len(status.attempts) == 2
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


def test_a_job_created_suspended_is_never_sent(shared_system: System) -> None:
    job = shared_system.submit(make_job("from-birth", suspend=True))
    status = job.wait_phase(Phase.SUSPENDED)
    assert status.execution_attempts == 0
    shared_system.submit(make_job("passes-by")).wait_phase(Phase.SUCCEEDED)
    assert job.status().execution_attempts == 0
    resume(job)
    job.wait_phase(Phase.SUCCEEDED)


def test_a_job_that_was_sent_and_not_taken_is_called_back(shared_system: System) -> None:
    blocker = shared_system.submit(make_job("blocks", parameters=lasting(300)))
    blocker.wait_phase(Phase.RUNNING)
    job = shared_system.submit(make_job("called-back"))
    job.wait_until("is sent", lambda s: s.execution_attempts == 1)
    status = suspend(job)
    assert status.attempts[-1].start_time is None
    assert blocker.patch(suspend=True).returncode == 0
    shared_system.submit(make_job("overtakes")).wait_phase(Phase.SUCCEEDED)
    assert job.status().phase is Phase.SUSPENDED
    resume(job)
    job.wait_phase(Phase.SUCCEEDED)
    blocker.delete()
    blocker.wait_gone()


def test_a_job_resumed_while_it_stops_goes_on(shared_system: System) -> None:
    job = shared_system.submit(make_job("fickle", parameters=lasting(8)))
    job.wait_phase(Phase.RUNNING)
    for wanted in (True, False, True, False):
        assert job.patch(suspend=wanted).returncode == 0
    status = job.wait_phase(Phase.SUCCEEDED)
    assert (status.failed_attempts, status.ignored_attempts) == (0, 0)


def test_an_attempt_that_does_not_stop_is_killed_and_its_worker_goes_on(shared_system: System) -> None:
    job = shared_system.submit(make_job("stubborn", parameters={"hang": True}))
    job.wait_percentage(20)
    status = suspend(job)
    assert status.attempts[-1].reason == "Suspended"
    shared_system.submit(make_job("after-stubborn")).wait_phase(Phase.SUCCEEDED)
    job.delete()
    job.wait_gone()
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


def test_a_suspended_job_can_be_cancelled(shared_system: System) -> None:
    job = shared_system.submit(make_job("given-up", parameters=lasting(300)))
    job.wait_percentage(20)
    suspend(job)
    assert job.patch(cancellation="Requested").returncode == 0
    job.wait_until("is asked", lambda s: has_condition(s, ConditionType.CANCELLATION_REQUESTED))
    assert job.status().phase is Phase.SUSPENDED
    assert job.patch(cancellation="Confirmed").returncode == 0
    job.wait_phase(Phase.CANCELLED)
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


def test_a_suspension_survives_the_operator_and_redis(breakable_system: System) -> None:
    long = lasting(25)  # until an operator has started on a busy machine
    job = breakable_system.submit(make_job("survives", parameters=long))
    job.wait_percentage(11)
    breakable_system.operator.kill()
    assert job.patch(suspend=True).returncode == 0
    breakable_system.operator.start()
    assert suspend(job).execution_attempts == 1
    breakable_system.operator.kill()
    breakable_system.client().flushall()
    resume(job)
    breakable_system.operator.start()
    status = job.wait_phase(Phase.SUCCEEDED)
    assert status.execution_attempts == 2


def test_a_job_resumed_on_another_worker_goes_on_from_its_steps(breakable_system: System) -> None:
    job = breakable_system.submit(make_job("moves", parameters=lasting(15)))
    job.wait_percentage(20)
    suspend(job)
    before = finished_steps(breakable_system, job)
    breakable_system.worker.stop()
    breakable_system.another_worker()
    resume(job)
    job.wait_until("goes on", lambda s: s.phase is Phase.RUNNING)
    assert before.items() <= finished_steps(breakable_system, job).items()
    status = job.wait_phase(Phase.SUCCEEDED)
    assert [attempt.worker for attempt in status.attempts] == ["worker-0", "worker-1"]
    breakable_system.worker.start()
