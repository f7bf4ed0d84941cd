"""What a status keeps of attempts."""

from recon_operator.decide import decide
from tests.operator.builders import NOW, OWNER, ago, ended, failed, make_job, make_observation, running
from tests.operator.decisions import LIMITS, SENT


def test_five_attempts_are_kept() -> None:
    job = make_job(status=ended("WorkerLost", number=5))
    decision = decide(job, make_observation(attempt=5, admitted=True), NOW, LIMITS)
    assert [attempt.number for attempt in decision.status.attempts] == [2, 3, 4, 5, 6]


def test_a_new_attempt_starts_without_the_last_ones_progress() -> None:
    job = make_job(status=ended("WorkerLost", worker=running().worker, progress={"percentage": 40, "step": "x"}))
    status = decide(job, make_observation(admitted=True), NOW, LIMITS).status
    assert (status.progress, status.worker, status.queue) == (None, None, None)


def test_a_job_has_started_also_where_nobody_saw_its_first_attempt_run() -> None:
    seen = make_observation(claim=OWNER, result=failed("CUDAOutOfMemory"))
    assert decide(SENT, seen, NOW, LIMITS).status.start_time == ago(20)
