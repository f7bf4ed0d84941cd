"""How an attempt ended, derived from the error that ended it."""

import copyreg
import errno
import time
from collections.abc import Callable
from datetime import UTC, datetime

from celery.exceptions import SoftTimeLimitExceeded

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, ReconstructionError, TransientError, UsageError
from recon_api.payload import AttemptResult, Outcome
from recon_api.status import Metric
from recon_worker.attempt.truncation import limit_metrics, limit_warnings, truncate_line
from recon_worker.publishing.published_result import PublishedResult

for _kind in (UsageError, TransientError, FatalError, JobCancelled):
    # A child passes the error that ended a task to the main process.
    copyreg.pickle(_kind, lambda error: (type(error), (error.reason, error.message)))

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def completed(attempt: int, finished: PublishedResult) -> AttemptResult:
    """Return the result of an attempt whose outputs are published."""
    return AttemptResult(
        outcome=Outcome.COMPLETED,
        attempt=attempt,
        outputs=finished.outputs,
        steps=finished.steps,
        metrics=limit_metrics(finished.metrics),
        warnings=limit_warnings(finished.warnings),
        photos=finished.photos,
        input_bytes=finished.input_bytes,
    )


def ended_by(error: ReconstructionError, attempt: int) -> AttemptResult:
    """Return the result of an attempt that the error ended.

    A cancelled job is `cancelled`; an attempt that had to stop for another reason has failed, with that reason.
    """
    cancelled = isinstance(error, JobCancelled) and error.reason == reasons.CANCELLED
    return AttemptResult(
        outcome=Outcome.CANCELLED if cancelled else Outcome.FAILED,
        attempt=attempt,
        reason=error.reason.name,
        message=truncate_line(error.message),
        retry_after_s=error.retry_after_s if isinstance(error, TransientError) else 0.0,
    )


def with_circumstances(
    result: AttemptResult,
    *,
    worker: str,
    started_at: datetime | None,
    began: float | None = None,
    metrics: tuple[Metric, ...] = (),
    log: str = "",
) -> AttemptResult:
    """Add by whom, when, for how long since `began` (monotonic), the figures that the attempt has shown, and where its log is."""
    ran_s = None if began is None else round(max(time.monotonic() - began, 0.0), 3)
    more = {"worker": worker, "started_at": started_at, "finished_at": datetime.now(UTC), "ran_s": ran_s, "log": log}
    return result.model_copy(update=more | {"metrics": limit_metrics((*result.metrics, *metrics))})


def known_error(error: BaseException) -> ReconstructionError:
    """Return the error as one of the four kinds."""
    if isinstance(error, ReconstructionError):
        return error
    if _is_cuda_out_of_memory(error):
        return TransientError(reasons.CUDA_OUT_OF_MEMORY, _first_line(error))
    if isinstance(error, MemoryError):
        return TransientError(reasons.OUT_OF_MEMORY, _first_line(error) or "the worker's memory did not suffice")
    if isinstance(error, SystemExit | KeyboardInterrupt | SoftTimeLimitExceeded):
        return JobCancelled(reasons.WORKER_STOPPED, "the worker was asked to shut down")
    if isinstance(error, OSError):
        full = "no space is left on the storage: " if error.errno in NO_SPACE else ""
        return TransientError(reasons.STORAGE_FAILED, f"{full}{_first_line(error)}")
    return FatalError(reasons.RECONSTRUCTION_FAILED, f"{type(error).__name__}: {_first_line(error)}")


def cause_of(raised: BaseException, check: Callable[[], None]) -> ReconstructionError:
    """Return why an attempt ended: the `JobCancelled` that `check` raises now, else what was raised.

    A replaced attempt may fail in any way before it notices, for its files are gone. A held one has all its files: what
    its owner must change is reported now, not after the job was resumed.
    """
    try:
        check()
        error = known_error(raised)
    except JobCancelled as stopped:
        owner_must_act = isinstance(raised, UsageError) and stopped.reason == reasons.SUSPENDED
        error = known_error(raised) if owner_must_act else stopped
    if error is not raised:
        error.__cause__ = raised
    return error


def _is_cuda_out_of_memory(error: BaseException) -> bool:
    """Decide by the class's name and the text: torch is not imported here."""
    kind = type(error)
    return kind.__module__.startswith("torch") and (
        kind.__name__ == "OutOfMemoryError" or "out of memory" in str(error)
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
