"""What is counted of an attempt that ended.

The process that ran it leaves a file for the worker's main process, which counts it: a child may be killed at any time.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api.keys import task_id
from recon_api.payload import AttemptResult, Outcome
from recon_api.steps import Step

SUFFIX = ".ended"

logger = logging.getLogger(__name__)


class StepVisit(BaseModel):
    """One step as one attempt went through it; a step that was finished already takes no time."""

    model_config = ConfigDict(frozen=True)

    step: Step
    began_at: float
    """Unix time."""
    seconds: float


class AttemptRecord(BaseModel):
    """What is counted of an attempt."""

    model_config = ConfigDict(frozen=True)

    uid: str
    attempt: int
    model: str = ""
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    steps: tuple[StepVisit, ...] = ()
    photos: int = 0
    """Of the input, where the attempt completed the job."""
    input_bytes: int = 0
    """The same."""


def record_of(uid: str, model: str, result: AttemptResult, steps: tuple[StepVisit, ...] = ()) -> AttemptRecord:
    """Return what is counted of an attempt with this result."""
    completed = result.outcome is Outcome.COMPLETED
    return AttemptRecord(
        uid=uid,
        attempt=result.attempt,
        model=model,
        outcome=result.outcome,
        reason=result.reason,
        seconds=result.ran_s or 0.0,
        steps=steps,
        photos=result.photos or 0 if completed else 0,
        input_bytes=result.input_bytes or 0 if completed else 0,
    )


def write_record(folder: Path, record: AttemptRecord) -> None:
    """Put a record where the main process finds it, whole."""
    file = folder / f"{task_id(record.uid, record.attempt)}{SUFFIX}"
    draft = file.with_suffix(".draft")
    draft.write_text(record.model_dump_json())
    draft.rename(file)


def collect_records(folder: Path) -> Iterator[AttemptRecord]:
    """Yield the records that lie there, each once."""
    for file in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            yield AttemptRecord.model_validate_json(file.read_text())
        except (OSError, ValidationError):
            logger.warning("the end of an attempt cannot be read: %s", file)
        with contextlib.suppress(OSError):
            file.unlink()
