"""How an attempt's end is derived from the error that ended it, and from an order to stop that was on its way."""

import errno
import pickle

import pytest

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, TransientError, UsageError
from recon_api.payload import AttemptResult, Outcome
from recon_api.reasons import Reason
from recon_api.status import Metric
from recon_worker.attempt.attempt_result import cause_of, completed, ended_by, known_error, with_circumstances
from recon_worker.publishing.published_result import PublishedResult


class OutOfMemoryError(RuntimeError):
    """What torch raises, by module and name."""


OutOfMemoryError.__module__ = "torch"


NOTHING = PublishedResult((), (), ())


MISTAKE = UsageError(reasons.TOO_FEW_PHOTOS, "2 photos")
BUG = ValueError("odd")


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
        pytest.param("wall\udcff.jpg", "wall\\xff.jpg", id="a file's name that is no text"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_message_is_one_short_line_that_can_be_sent(message: str, told: str) -> None:
    result = ended_by(FatalError(reasons.RECONSTRUCTION_FAILED, message), 1)
    assert AttemptResult.model_validate_json(result.model_dump_json()).message == told


def test_figures_of_this_attempt_add_to_those_of_the_result() -> None:
    known = PublishedResult((), (), (Metric(name="photos", value="9"), Metric(name="points", value="1")))
    shown = (Metric(name="points", value="2"), Metric(name="speed", value="fast"))
    result = with_circumstances(completed(1, known), worker="w", started_at=None, metrics=shown)
    assert {metric.name: metric.value for metric in result.metrics} == {"photos": "9", "points": "2", "speed": "fast"}


def test_counts_stay_numbers() -> None:
    result = completed(1, PublishedResult((), (), (), photos=36, input_bytes=4096))
    assert (result.photos, result.input_bytes) == (36, 4096)


def test_a_delay_is_passed_on() -> None:
    error = TransientError(reasons.STORAGE_FAILED, "busy", retry_after_s=30)
    assert ended_by(error, 1) == AttemptResult(
        outcome=Outcome.FAILED, attempt=1, reason="StorageFailed", message="busy", retry_after_s=30
    )


@pytest.mark.parametrize("kind", [UsageError, TransientError, FatalError, JobCancelled])
def test_errors_travel_between_processes(kind: type[UsageError]) -> None:
    error = pickle.loads(pickle.dumps(kind(reasons.CANCELLED, "why")))  # noqa: S301 - our own
    assert (type(error), error.reason, error.message) == (kind, reasons.CANCELLED, "why")


@pytest.mark.parametrize(
    ("raised", "order", "reported"),
    [
        pytest.param(MISTAKE, None, reasons.TOO_FEW_PHOTOS, id="a mistake is reported"),
        pytest.param(
            MISTAKE, reasons.SUSPENDED, reasons.TOO_FEW_PHOTOS, id="a mistake is reported though the job is held"
        ),
        pytest.param(MISTAKE, reasons.SUPERSEDED, reasons.SUPERSEDED, id="a replaced attempt has seen no mistake"),
        pytest.param(MISTAKE, reasons.CANCELLED, reasons.CANCELLED, id="a cancelled job made no mistake"),
        pytest.param(BUG, None, reasons.RECONSTRUCTION_FAILED, id="a failure is reported"),
        pytest.param(BUG, reasons.SUSPENDED, reasons.SUSPENDED, id="a held attempt that fails on its way out was held"),
        pytest.param(BUG, reasons.SUPERSEDED, reasons.SUPERSEDED, id="a replaced attempt fails for its files are gone"),
    ],
)
def test_why_an_attempt_ended(raised: Exception, order: Reason | None, reported: Reason) -> None:
    def check() -> None:
        if order:
            raise JobCancelled(order, "stop")

    cause = cause_of(raised, check)
    assert cause.reason == reported
    assert isinstance(cause, FatalError) == (reported == reasons.RECONSTRUCTION_FAILED)
    assert raised in (cause, cause.__cause__)
