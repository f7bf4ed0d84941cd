"""Noticing that the process of an attempt has died, whatever killed it.

The lock of its file is free then (`recon_worker.attempt.running_attempt`).
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.attempt.running_attempt import RunningAttempt

INTERVAL_S = 0.1
"""Between two looks at the files of the running attempts."""

logger = logging.getLogger(__name__)


class CrashWatch(threading.Thread):
    """Reports each attempt whose process has died, once; again where the report failed because Redis was gone."""

    def __init__(self, folder: Path, report_crash: Callable[[RunningAttempt], None]) -> None:
        """Watch the attempts of this folder."""
        super().__init__(name="crash-watch", daemon=True)
        self._folder, self._report_crash = folder, report_crash
        self._ended = threading.Event()

    def run(self) -> None:
        """Check until `end` is called."""
        while not self._ended.wait(INTERVAL_S):
            try:
                self.check()
            except UNREACHABLE as error:
                logger.warning("a crashed attempt could not be reported yet: %s", error)
                self._ended.wait(1.0)
            except Exception:
                logger.exception("a crashed attempt could not be reported")
                self._ended.wait(1.0)

    def check(self) -> None:
        """Report what has crashed by now."""
        for file in self._folder.glob("*.json"):
            if (crashed := _crashed(file)) is not None:
                self._report_crash(crashed)
                file.unlink(missing_ok=True)

    def end(self) -> None:
        """Stop checking."""
        self._ended.set()


def _crashed(file: Path) -> RunningAttempt | None:
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
