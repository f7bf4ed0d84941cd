"""How an attempt's end is told, from the error that ended it; progress that is passed on; deaths that are noticed."""

import errno
import os
import pickle
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, TransientError, UsageError
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, ProgressMeta
from recon_api.status import Metric
from recon_api.steps import Step
from recon_worker.attempt.attempt_result import completed, ended_by, known_error, with_circumstances
from recon_worker.attempt.progress_reporter import ProgressFeed
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.publishing.published_result import Finished
from recon_worker.supervisor.crash_watch import DeathWatch, RunningAttempt, living, running_attempts
from tests.support.waiting import wait_for


class OutOfMemoryError(RuntimeError):
    """What torch raises, by module and name."""


OutOfMemoryError.__module__ = "torch"

NOTHING = Finished((), (), ())


@pytest.mark.parametrize(
    ("error", "outcome", "reason", "message"),
    [
        pytest.param(
            UsageError(reasons.INPUT_REJECTED, "no photos"), "failed", "InputRejected", "no photos", id="a known error"
        ),
        pytest.param(JobCancelled(reasons.CANCELLED, "asked"), "cancelled", "Cancelled", "asked", id="a cancelled job"),
        pytest.param(
            JobCancelled(reasons.SUPERSEDED, "late"), "failed", "Superseded", "late", id="a replaced attempt has failed"
        ),
        pytest.param(OutOfMemoryError("CUDA out of memory.\nTried"), "failed", "CUDAOutOfMemory", "CUDA", id="torch's"),
        pytest.param(MemoryError(), "failed", "OutOfMemory", "the worker's memory", id="Python's"),
        pytest.param(
            OSError(errno.ENOSPC, "No space left"), "failed", "StorageFailed", "no space is left", id="a full disk"
        ),
        pytest.param(OSError(errno.EIO, "I/O error"), "failed", "StorageFailed", "[Errno 5]", id="a broken disk"),
        pytest.param(SystemExit(), "failed", "WorkerStopped", "the worker was asked", id="a shutdown"),
        pytest.param(ValueError("odd\nmore"), "failed", "ReconstructionFailed", "ValueError: odd", id="anything else"),
    ],
)
def test_how_an_attempt_ended(error: BaseException, outcome: str, reason: str, message: str) -> None:
    result = ended_by(known_error(error), 3)
    assert (result.outcome, result.reason, result.attempt) == (outcome, reason, 3)
    assert result.message.startswith(message)
    assert "\n" not in result.message


@pytest.mark.parametrize(
    ("message", "told"),
    [
        pytest.param("photos: 2 are too few", "photos: 2 are too few", id="a short one stays"),
        pytest.param("one\n  two\tthree\u2028four\r\n", "one two three four", id="lines become one"),
        pytest.param("a" * 1024, "a" * 1024, id="the longest that stays"),
        pytest.param("a" * 1025, "a" * 1023 + "…", id="a longer one is cut"),
        pytest.param("wall\udcff.jpg", "wall\\udcff.jpg", id="a file's name that is no text"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_message_is_one_short_line_that_can_be_sent(message: str, told: str) -> None:
    result = ended_by(FatalError(reasons.RECONSTRUCTION_FAILED, message), 1)
    assert AttemptResult.model_validate_json(result.model_dump_json()).message == told


def test_figures_are_few_and_short_and_the_first_ones_stay() -> None:
    feed = ProgressFeed(lambda _: None, StopOrder())
    for number in range(30):
        feed.show_metric(f"figure {number}", "x" * 300)
    feed.show_metric("figure 0", "later")
    for metrics in (feed.metrics, with_circumstances(completed(1, NOTHING), worker="w", started_at=None).metrics):
        assert len(metrics) <= 20
    assert feed.metrics[0] == Metric(name="figure 0", value="later")
    assert [metric.name for metric in feed.metrics] == [f"figure {number}" for number in range(20)]
    assert {len(metric.value) for metric in feed.metrics[1:]} == {200}


def test_figures_of_this_attempt_add_to_those_of_the_result() -> None:
    known = Finished((), (), (Metric(name="photos", value="9"), Metric(name="points", value="1")))
    shown = (Metric(name="points", value="2"), Metric(name="speed", value="fast"))
    result = with_circumstances(completed(1, known), worker="w", started_at=None, metrics=shown)
    assert {metric.name: metric.value for metric in result.metrics} == {"photos": "9", "points": "2", "speed": "fast"}


def test_a_delay_is_passed_on() -> None:
    error = TransientError(reasons.STORAGE_FAILED, "busy", retry_after_s=30)
    assert ended_by(error, 1) == AttemptResult(
        outcome=Outcome.FAILED, attempt=1, reason="StorageFailed", message="busy", retry_after_s=30
    )


@pytest.mark.parametrize("kind", [UsageError, TransientError, FatalError, JobCancelled])
def test_errors_travel_between_processes(kind: type[UsageError]) -> None:
    error = pickle.loads(pickle.dumps(kind(reasons.CANCELLED, "why")))  # noqa: S301 - our own
    assert (type(error), error.reason, error.message) == (kind, reasons.CANCELLED, "why")


def test_an_attempt_may_end_before_its_first_step() -> None:
    assert ProgressFeed(lambda _: None, StopOrder()).visits() == ()


def test_every_new_step_is_sent_and_the_latest_value_counts() -> None:
    sent: list[ProgressMeta] = []
    with ProgressFeed(sent.append, StopOrder()) as feed:
        for step in Step:
            for percentage in range(step.start_percentage, step.end_percentage):
                feed.show(step, percentage)
            wait_for(f"{step} is sent", lambda step=step: step in {meta.step for meta in sent}, every_s=0.001)  # type: ignore[misc]
    assert len(sent) < 3 * len(Step)
    assert [meta.progress for meta in sent] == sorted(meta.progress for meta in sent)


def test_the_time_at_a_step_counts_from_its_first_value(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[ProgressMeta] = []
    got, now = threading.Event(), [100.0]
    monkeypatch.setattr("recon_worker.attempt.progress_reporter.time.monotonic", lambda: now[0])

    def send(meta: ProgressMeta) -> None:
        sent.append(meta)
        got.set()

    with ProgressFeed(send, StopOrder()) as feed:
        for at, step in ((100.0, Step.LOADING), (103.0, Step.LOADING), (110.0, Step.PREVIEWS), (111.5, Step.PREVIEWS)):
            now[0] = at
            feed.show(step, step.end_percentage)
            assert got.wait(10)
            got.clear()
    assert [meta.step_elapsed_s for meta in sent] == [0.0, 3.0, 0.0, 1.5]


def test_a_broken_feed_neither_stops_nor_holds_the_job() -> None:
    tried = threading.Event()

    def send(_: ProgressMeta) -> None:
        tried.set()
        raise ConnectionError("no Redis")

    with ProgressFeed(send, StopOrder()) as feed:
        feed.show(Step.LOADING, 1)
        assert tried.wait(10)
        feed.show(Step.PREVIEWS, 85)
        feed.raise_if_stopped()


def test_the_first_order_to_stop_stays() -> None:
    stop = StopOrder()
    stop.raise_if_given()
    stop.give(reasons.SUPERSEDED, "attempt 2 took over")
    stop.give(reasons.CANCELLED, "the job was cancelled")
    with pytest.raises(JobCancelled, match="attempt 2 took over"):
        stop.raise_if_given()


def running(attempt: int) -> RunningAttempt:
    owner = ClaimOwner(worker="w", boot_id="b", nonce=str(attempt))
    return RunningAttempt(uid="job", attempt=attempt, pid=os.getpid(), owner=owner, started_at=datetime.now(UTC))


def test_a_process_that_dies_in_its_attempt_is_noticed_and_one_that_lives_is_not(tmp_path: Path) -> None:
    buried: list[RunningAttempt] = []
    watch = DeathWatch(tmp_path, buried.append)
    child = os.fork()
    if child == 0:  # the process that dies
        with living(tmp_path, running(1)):
            time.sleep(600)
    while not running_attempts(tmp_path):
        time.sleep(0.01)
    with living(tmp_path, running(2)):
        watch.look()
        assert buried == []
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        watch.look()
        watch.look()
        assert [dead.attempt for dead in buried] == [1]
    watch.look()
    assert [dead.attempt for dead in buried] == [1]
