"""Retries, failure policies and deadlines, on real servers."""

import pytest

from recon_api.status import ConditionType, Phase
from tests.support.jobs import has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

QUICK_BACKOFF = {"backoff": {"duration": "1s", "factor": 2, "maxDuration": "4s"}}


def test_a_job_is_tried_again_until_it_succeeds(shared_system: System) -> None:
    parameters = {"fail": "CUDAOutOfMemory", "failAttempts": 2}
    job = shared_system.submit(make_job("twice", parameters=parameters, retryStrategy=QUICK_BACKOFF))
    status = job.wait_phase(Phase.RETRYING)
    assert "the next is due at" in status.message
    status = job.wait_phase(Phase.SUCCEEDED)
    assert (status.execution_attempts, status.failed_attempts) == (3, 2)
    assert [attempt.reason for attempt in status.attempts] == ["CUDAOutOfMemory", "CUDAOutOfMemory", "Completed"]
    waits = [
        (after.start_time - before.end_time).total_seconds()
        for before, after in zip(status.attempts, status.attempts[1:], strict=False)
        if after.start_time and before.end_time
    ]
    assert all(wait >= least for wait, least in zip(waits, (0, 1), strict=True)), waits  # whole seconds, with jitter


def test_a_job_that_fails_too_often_has_failed(shared_system: System) -> None:
    job = shared_system.submit(
        make_job("too-often", parameters={"fail": "CUDAOutOfMemory"}, backoffLimit=1, retryStrategy=QUICK_BACKOFF)
    )
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "BackoffLimitExceeded")
    assert (status.execution_attempts, status.failed_attempts) == (2, 2)
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])


@pytest.mark.parametrize(
    ("rule", "fail", "attempts"),
    [
        pytest.param({"action": "FailJob", "onReasons": ["CUDAOutOfMemory"]}, "CUDAOutOfMemory", 1, id="by-reason"),
        pytest.param({"action": "FailJob", "onMessagePatterns": ["asks$"]}, "StorageFailed", 1, id="by-message"),
        pytest.param({"action": "Count", "onReasons": ["InputNotFound"]}, "InputNotFound", 2, id="counted"),
    ],
)
def test_a_rule_says_what_a_failure_leads_to(
    shared_system: System, rule: dict[str, object], fail: str, attempts: int, request: pytest.FixtureRequest
) -> None:
    job = shared_system.submit(
        make_job(
            f"rule-{request.node.callspec.id}",
            parameters={"fail": fail},
            backoffLimit=1,
            retryStrategy=QUICK_BACKOFF,
            failurePolicy={"rules": [rule]},
        )
    )
    status = job.wait_phase(Phase.FAILED)
    assert status.execution_attempts == attempts
    assert "rule 1 of spec.failurePolicy" in status.message


def test_a_job_that_runs_too_long_is_stopped_and_has_failed(shared_system: System) -> None:
    job = shared_system.submit(make_job("too-long", parameters=lasting(300), activeDeadlineSeconds=2))
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "DeadlineExceeded")
    assert status.attempts[-1].reason == "DeadlineExceeded"
    wait_for("nothing is left of the job", lambda: shared_system.work_folders() == [])
    shared_system.submit(make_job("after-too-long")).wait_phase(Phase.SUCCEEDED)


def test_suspended_time_is_left_out_of_the_deadline(shared_system: System) -> None:
    job = shared_system.submit(make_job("paused", parameters=lasting(8), activeDeadlineSeconds=60))
    job.wait_phase(Phase.RUNNING)
    assert job.patch(suspend=True).returncode == 0
    job.wait_phase(Phase.SUSPENDED)
    shared_system.submit(make_job("in-between", parameters=lasting(2))).wait_phase(Phase.SUCCEEDED)
    assert job.patch(suspend=False).returncode == 0
    status = job.wait_phase(Phase.SUCCEEDED)
    assert status.start_time
    assert status.completion_time
    assert status.active_seconds < (status.completion_time - status.start_time).total_seconds()


def test_a_job_that_no_worker_takes_in_time_has_failed(shared_system: System) -> None:
    job = shared_system.submit(make_job("nobody", gpuClass="none-such", preRunningDeadlineSeconds=1))
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "QueueDeadlineExceeded")
    assert status.execution_attempts == 0


def test_a_message_that_no_worker_takes_in_time_is_called_back(shared_system: System) -> None:
    blocker = shared_system.submit(make_job("in-the-way", parameters=lasting(300)))
    blocker.wait_phase(Phase.RUNNING)
    job = shared_system.submit(make_job("not-taken", preRunningDeadlineSeconds=2))
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "QueueDeadlineExceeded")
    blocker.delete()
    shared_system.submit(make_job("after-not-taken")).wait_phase(Phase.SUCCEEDED)
    assert not (shared_system.outputs / "not-taken").exists()


def test_a_priority_changed_in_the_queue_counts(shared_system: System) -> None:
    blocker = shared_system.submit(make_job("first-in-line", parameters=lasting(300)))
    blocker.wait_phase(Phase.RUNNING)
    shared_system.submit(make_job("second-in-line", parameters=lasting(300))).wait_until(
        "is sent", lambda s: s.execution_attempts == 1
    )
    # So long that which one came first is seen from times in whole seconds.
    early = shared_system.submit(make_job("early", parameters=lasting(1.2)))
    early.wait_until("waits", lambda s: bool(s.queue and s.queue.position == 1))
    late = shared_system.submit(make_job("late", parameters=lasting(1.2)))
    late.wait_until("waits", lambda s: bool(s.queue and s.queue.position == 2))
    assert late.patch(priority=10).returncode == 0
    late.wait_until("is next", lambda s: bool(s.queue and s.queue.position == 1))
    for name in ("first-in-line", "second-in-line"):
        shared_system.job(name).delete()
    ends = [job.wait_phase(Phase.SUCCEEDED).attempts[-1].start_time for job in (late, early)]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0] <= ends[1]
