"""The attempt that a child process runs, in a file for the worker's main process.

The child locks the file for as long as it lives; the kernel releases the lock when it dies. The file's time of change is that of
the lease's last renewal.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api.keys import task_id
from recon_api.payload import ClaimOwner
from recon_worker.telemetry.logs import attempt_fields


class RunningAttempt(BaseModel):
    """An attempt and who runs it."""

    model_config = ConfigDict(frozen=True)

    uid: str
    attempt: int
    namespace: str = ""
    name: str = ""
    model: str = ""
    pid: int
    owner: ClaimOwner
    started_at: datetime
    began: float
    """The same by the machine's monotonic clock, which all its processes share."""
    output_path: str | None = None
    """What it publishes its result as in the installation's storage; None where the result goes to a URL of the job's own."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The `extra` of a log line about it."""
        return attempt_fields(namespace=self.namespace, name=self.name, uid=self.uid, attempt=self.attempt)


@contextmanager
def locked_file(folder: Path, running: RunningAttempt) -> Iterator[None]:
    """Hold the file of the attempt within the block; a process that dies in it is noticed."""
    file = _file(folder, running.uid, running.attempt)
    draft = file.with_suffix(".tmp")
    # Programs that the job starts do not inherit the descriptor, and so not the lock.
    with draft.open("w") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        locked.write(running.model_dump_json())
        locked.flush()
        draft.rename(file)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def _file(folder: Path, uid: str, attempt: int) -> Path:
    return folder / f"{task_id(uid, attempt)}.json"


def record_renewal(folder: Path, uid: str, attempt: int) -> None:
    """Record that the attempt's lease is renewed now."""
    with contextlib.suppress(OSError):
        os.utime(_file(folder, uid, attempt))


def last_renewals(folder: Path) -> list[float]:
    """Return when (Unix time) the lease of each running attempt was last renewed, or it began."""
    found = []
    for file in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            found.append(file.stat().st_mtime)
    return found


def running_attempts(folder: Path) -> list[RunningAttempt]:
    """Return the attempts that run now, or whose death is not yet noticed."""
    found = []
    for file in folder.glob("*.json"):
        with contextlib.suppress(FileNotFoundError, ValidationError):
            found.append(RunningAttempt.model_validate_json(file.read_text()))
    return found
