"""What a decision's status says in detail, and when the job is looked at again."""

from datetime import timedelta

import pytest

from recon_api.keys import task_id
from recon_api.payload import PHOTOS_PLACED, AttemptResult, ClaimOwner
from recon_api.resource import ReconstructionJob
from recon_api.status import CancellationState, ConditionType, Metric, Output, Phase
from recon_operator.decide import decide
from recon_operator.decide.limits import Limits
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    OWNER,
    UID,
    ago,
    alive,
    completed,
    dispatched,
    ended,
    failed,
    make_job,
    make_observation,
    queued,
    report,
    requested,
    running,
)

LIMITS = Limits()
FREE = make_observation(attempt=0, authorised=None, admitted=True)
SILENT = make_observation(claim=OWNER, silent_s=25.0)
UNKNOWN = Observation(known=False, attempt=1)
NEW = make_job()
SENT = make_job(status=dispatched())
RUNS = make_job(status=running())
CONFIRMED = make_job(status=running(cancellation=requested()), cancellation="Confirmed")


def test_a_job_that_waits_while_redis_refuses_the_operator_says_so() -> None:
    status = decide(make_job(), Observation(known=False, refusal="wrong password"), NOW, LIMITS).status
    assert (status.phase, status.message) == (Phase.QUEUED, "The job waits; Redis refuses the operator: wrong password")


def test_a_job_that_is_sent_at_once_is_described_by_one_write() -> None:
    status = decide(NEW, FREE, NOW, LIMITS).status
    assert (status.task_id, status.observed_generation, status.model) == (task_id(UID, 1), 1, "synthetic")
    assert [attempt.number for attempt in status.attempts] == [1]
    assert [(c.type, c.status, c.reason) for c in status.conditions] == [(ConditionType.QUEUED, "True", "Dispatched")]


@pytest.mark.parametrize(
    ("files", "metrics", "message"),
    [
        pytest.param(1, (), "1 file is published", id="one file"),
        pytest.param(6, (), "6 files are published", id="many files"),
        pytest.param(
            6,
            (Metric(name=PHOTOS_PLACED, value="8/17"),),
            "6 files are published; 8/17 photos placed",
            id="a partial mesh",
        ),
    ],
)
def test_a_success_says_what_it_rests_on(files: int, metrics: tuple[Metric, ...], message: str) -> None:
    outputs = tuple(Output(name=f"{number}.glb", uri=f"file:///{number}.glb") for number in range(files))
    result = completed().model_copy(update={"outputs": outputs, "metrics": metrics})
    assert decide(RUNS, alive(result=result), NOW, LIMITS).status.message == message


def test_a_success_tells_who_did_it_and_when() -> None:
    status = decide(SENT, make_observation(claim=OWNER, result=completed()), NOW, LIMITS).status
    assert status.worker is not None
    assert (status.worker.name, status.start_time, status.completion_time) == ("worker-0", ago(20), ago(1))
    assert status.progress is not None
    assert status.progress.percentage == 100
    held = {c.type for c in status.conditions if c.status == "True"}
    assert held == {ConditionType.COMPLETE}


def test_a_lost_attempt_is_kept_in_the_status() -> None:
    attempt = decide(RUNS, SILENT, NOW, LIMITS).status.attempts[-1]
    assert (attempt.worker, attempt.reason, attempt.end_time) == ("worker-0", "WorkerLost", NOW)


def test_five_attempts_are_kept() -> None:
    job = make_job(status=ended("WorkerLost", number=5))
    decision = decide(job, make_observation(attempt=5, admitted=True), NOW, LIMITS)
    assert [attempt.number for attempt in decision.status.attempts] == [2, 3, 4, 5, 6]


def test_a_new_attempt_starts_without_the_last_ones_progress() -> None:
    job = make_job(status=ended("WorkerLost", worker=running().worker, progress={"percentage": 40, "step": "x"}))
    status = decide(job, make_observation(admitted=True), NOW, LIMITS).status
    assert (status.progress, status.worker, status.queue) == (None, None, None)


@pytest.mark.parametrize(
    ("shown_s_ago", "shown", "reported", "written"),
    [
        pytest.param(5.0, 30, 31.0, 31, id="a percent more is written after five seconds"),
        pytest.param(4.9, 30, 50.0, 30, id="within five seconds nothing is written"),
        pytest.param(60.0, 30, 30.9, 30, id="less than a percent is not written"),
        pytest.param(60.0, 30, 29.0, 30, id="progress does not go back within a step"),
        pytest.param(60.0, 30, 100.0, 99, id="the hundredth percent is the end's own"),
    ],
)
def test_progress_within_a_step(shown_s_ago: float, shown: int, reported: float, written: int) -> None:
    progress = {"percentage": shown, "step": "Running reconstruction", "lastUpdatedTime": ago(shown_s_ago)}
    job = make_job(status=running(progress=progress))
    status = decide(job, alive(progress=report(reported)), NOW, LIMITS).status
    assert status.progress is not None
    assert status.progress.percentage == written


def test_a_new_step_is_written_at_once() -> None:
    progress = {"percentage": 19, "step": "Preprocessing images", "lastUpdatedTime": ago(0.1)}
    job = make_job(status=running(progress=progress))
    status = decide(job, alive(progress=report(20.0)), NOW, LIMITS).status
    assert status.progress is not None
    assert (status.progress.step, status.progress.estimated_remaining_seconds) == ("Running reconstruction", 80)


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(RUNS, alive(), 10, id="a running attempt's lease is read every ten seconds"),
        pytest.param(RUNS, make_observation(claim=OWNER), 5, id="a silent attempt is read more often"),
        pytest.param(RUNS, UNKNOWN, 5, id="Redis is asked again"),
        pytest.param(CONFIRMED, alive(), 1, id="the order to stop is repeated every second"),
        pytest.param(
            make_job(status=queued(cancellation=requested()), cancellation="Requested"),
            make_observation(attempt=0, cancellation_requested=True),
            3540,
            id="a request is looked at when it expires, also after a restart",
        ),
        pytest.param(
            make_job(status=running(), activeDeadlineSeconds=25),
            alive(),
            5,
            id="a running attempt is looked at when its time is up",
        ),
        pytest.param(
            make_job(status=queued(), preRunningDeadlineSeconds=90),
            make_observation(attempt=0),
            60,
            id="a waiting job is looked at when it has waited too long",
        ),
    ],
)
def test_looks_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)


@pytest.mark.parametrize(
    ("state", "spec", "seen_state"),
    [
        pytest.param(CancellationState.EXPIRED, "Requested", CancellationState.EXPIRED, id="an expiry stays"),
        pytest.param(CancellationState.EXPIRED, None, CancellationState.WITHDRAWN, id="an expired one is withdrawn"),
        pytest.param(CancellationState.WITHDRAWN, "Requested", CancellationState.REQUESTED, id="it is requested anew"),
        pytest.param(CancellationState.WITHDRAWN, None, CancellationState.WITHDRAWN, id="a withdrawal stays"),
    ],
)
def test_cancellation_states(state: CancellationState, spec: str | None, seen_state: CancellationState) -> None:
    job = make_job(status=running(cancellation=requested(state=state)), cancellation=spec)
    cancellation = decide(job, alive(), NOW, LIMITS).status.cancellation
    assert cancellation is not None
    assert cancellation.state is seen_state


@pytest.mark.parametrize(
    ("failures", "limit", "phase"),
    [
        pytest.param(2, 2, Phase.RETRYING, id="backoffLimit failures are retried"),
        pytest.param(3, 2, Phase.FAILED, id="one more is the end"),
        pytest.param(7, 7, Phase.RETRYING, id="failures older than the kept attempts are counted too"),
        pytest.param(8, 7, Phase.FAILED, id="so the limit holds beyond five attempts"),
    ],
)
def test_backoff_limit(failures: int, limit: int, phase: Phase) -> None:
    job = make_job(status=running(failures, failed_attempts=failures - 1), backoffLimit=limit)
    seen = alive(attempt=failures, result=failed("CUDAOutOfMemory", attempt=failures))
    assert decide(job, seen, NOW, LIMITS).status.phase is phase


def test_lost_workers_do_not_count_against_backoff_limit() -> None:
    status = running(3)  # attempts 1 and 2 lost their workers
    seen = alive(attempt=3, result=failed("CUDAOutOfMemory", attempt=3))
    assert decide(make_job(status=status, backoffLimit=1), seen, NOW, LIMITS).status.phase is Phase.RETRYING


def test_a_result_of_another_worker_is_taken_as_it_is() -> None:
    other = ClaimOwner(worker="worker-9", boot_id="b", nonce="n")
    result = AttemptResult(outcome="completed", attempt=1, worker="worker-9")
    status = decide(RUNS, alive(claim=other, result=result), NOW, LIMITS).status
    assert (status.phase, status.attempts[-1].worker) == (Phase.SUCCEEDED, "worker-0")


def test_a_job_has_started_also_where_nobody_saw_its_first_attempt_run() -> None:
    seen = make_observation(claim=OWNER, result=failed("CUDAOutOfMemory"))
    assert decide(SENT, seen, NOW, LIMITS).status.start_time == ago(20)
