"""How an attempt's end is told, from the error that ended it; progress that is passed on; deaths that are noticed."""

import errno
import os
import pickle
import signal
import threading
import time
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, TransientError, UsageError
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, ProgressMeta
from recon_api.steps import Step
from recon_worker.death_watch import DeathWatch, RunningAttempt, living, running_attempts
from recon_worker.outcome import ended_by, known_error
from recon_worker.progress_feed import ProgressFeed
from recon_worker.stop import StopOrder


class OutOfMemoryError(RuntimeError):
    """What torch raises, by module and name."""


OutOfMemoryError.__module__ = "torch"


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


def test_a_delay_is_passed_on() -> None:
    error = TransientError(reasons.STORAGE_FAILED, "busy", retry_after_s=30)
    assert ended_by(error, 1) == AttemptResult(
        outcome=Outcome.FAILED, attempt=1, reason="StorageFailed", message="busy", retry_after_s=30
    )


@pytest.mark.parametrize("kind", [UsageError, TransientError, FatalError, JobCancelled])
def test_errors_travel_between_processes(kind: type[UsageError]) -> None:
    error = pickle.loads(pickle.dumps(kind(reasons.CANCELLED, "why")))  # noqa: S301 - our own
    assert (type(error), error.reason, error.message) == (kind, reasons.CANCELLED, "why")


def test_every_new_step_is_sent_and_the_latest_value_counts() -> None:
    sent: list[ProgressMeta] = []
    got = threading.Event()

    def send(meta: ProgressMeta) -> None:
        sent.append(meta)
        got.set()

    with ProgressFeed(send, StopOrder()) as feed:
        for step in Step:
            for percentage in range(step.start_percentage, step.end_percentage):
                feed.show(step, percentage)
            got.wait(10)
            got.clear()
    assert len(sent) < 3 * len(Step)
    assert [meta.progress for meta in sent] == sorted(meta.progress for meta in sent)


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
    return RunningAttempt(uid="job", attempt=attempt, pid=os.getpid(), owner=owner)


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
