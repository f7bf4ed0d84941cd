"""The log of an attempt beside the outputs. What keeps it from being written is no failure of the job."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Self

from recon_api.errors import ReconstructionError
from recon_worker.attempt.progress_reporter import ProgressReporter
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.storage.storage import OpenLog
from recon_worker.telemetry.bounded_log import logging_to

UNWRITABLE = (ReconstructionError, *UNREACHABLE)

logger = logging.getLogger(__name__)


class AttemptLog:
    """What this process logs within a `with` block, written where the job's owner reads it."""

    def __init__(self, opened: Callable[[], AbstractContextManager[OpenLog]], progress: ProgressReporter) -> None:
        """Write into what `opened` opens; the address travels with the progress where the log can be read by now."""
        self._opened, self._progress = opened, progress
        self._stack = ExitStack()
        self._address = self.address = ""
        """Where it can be read, once it is complete; empty where there is none."""

    def __enter__(self) -> Self:
        try:
            log = self._stack.enter_context(self._opened())
            self._stack.enter_context(logging_to(log.stream))
        except UNWRITABLE as error:
            logger.warning("the attempt has no log of its own: %s", error)
        else:
            self._address = log.address
            self._progress.log_address = log.address if log.readable_now else ""
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        try:
            self._stack.close()
        except UNWRITABLE as error:
            logger.warning("the attempt's log is lost: %s", error)
        else:
            self.address = self._address
