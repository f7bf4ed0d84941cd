"""Noticing that the process of an attempt has died, whatever killed it, and saying so in its place.

The process locks a file that describes its attempt for as long as it lives; the kernel releases the lock when it dies. The
worker's main process looks after the files whose lock is free.
"""

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api.keys import task_id
from recon_api.payload import ClaimOwner
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.telemetry.logs import about

INTERVAL_S = 0.1
"""Between two looks at the files of the running attempts."""

logger = logging.getLogger(__name__)


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
    output: Path | None = None
    """Folder that it publishes its result as, where its job names one that can be."""
    bucket_path: str | None = None
    """What it publishes its result as in the installation's bucket, where that is its storage."""

    @property
    def log_fields(self) -> Mapping[str, object]:
        """The `extra` of a log line about it."""
        return about(namespace=self.namespace, name=self.name, uid=self.uid, attempt=self.attempt)


@contextmanager
def living(folder: Path, running: RunningAttempt) -> Iterator[None]:
    """Be known to run the attempt within the block; a process that dies in it is noticed."""
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


def note_renewal(folder: Path, uid: str, attempt: int) -> None:
    """Note that the attempt's lease is renewed now."""
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


class DeathWatch(threading.Thread):
    """Calls `bury` once for each attempt whose process has died; again where it raised because Redis was gone."""

    def __init__(self, folder: Path, bury: Callable[[RunningAttempt], None]) -> None:
        super().__init__(name="death-watch", daemon=True)
        self._folder, self._bury = folder, bury
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until told to end."""
        while not self._ended.wait(INTERVAL_S):
            try:
                self.look()
            except UNREACHABLE as error:
                logger.warning("a dead attempt could not be reported yet: %s", error)
                self._ended.wait(1.0)
            except Exception:
                logger.exception("a dead attempt could not be reported")
                self._ended.wait(1.0)

    def look(self) -> None:
        """Bury the dead of this moment."""
        for file in self._folder.glob("*.json"):
            if (dead := _dead(file)) is not None:
                self._bury(dead)
                file.unlink(missing_ok=True)

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()


def _dead(file: Path) -> RunningAttempt | None:
    """Return the attempt of a file that nobody locks."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "r+") as content:
        try:
            fcntl.flock(content, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        try:
            return RunningAttempt.model_validate_json(content.read()) if file.exists() else None
        except ValidationError:
            logger.exception("%s is not readable", file)
            return None
