"""Passing an attempt's progress on, from a thread of its own: an outage of Redis neither blocks nor fails the job.

Only the latest value counts: at most a few a second are sent, but every new step at once.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from recon_api.payload import PHOTOS, JobWarning, ProgressMeta
from recon_api.status import Metric
from recon_api.steps import Step
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.attempt.truncation import limit_metrics, limit_warnings
from recon_worker.progress import Figure
from recon_worker.telemetry.attempt_record import StepVisit

INTERVAL_S = 0.2
"""Between two values of the same step."""

CLOSING_S = 1.0
"""How long the end of an attempt waits for a value that is on its way."""

logger = logging.getLogger(__name__)


class Position(NamedTuple):
    """How far the attempt has come, and since when (monotonic) it is at the step."""

    step: Step
    percentage: float
    since: float


class Entered(NamedTuple):
    """A step that the attempt came to."""

    step: Step
    at: float
    """Unix time."""
    since: float
    """The same by the monotonic clock."""


class ProgressReporter:
    """A `ProgressSink` that sends what it is shown, and raises where the attempt must stop."""

    log_address = ""
    """Where the attempt's log can be read by now."""

    def __init__(self, send: Callable[[ProgressMeta], None], stop: StopOrder) -> None:
        """Send by `send`, which may block and raise."""
        self._send, self._stop = send, stop
        self._latest: Position | None = None
        self._entered: list[Entered] = []
        self._figures: dict[str, Figure] = {}
        self._warnings: list[JobWarning] = []
        self._changed = threading.Event()
        self._urgent = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._ended = True
        self._changed.set()
        self._urgent.set()
        self._thread.join(CLOSING_S)

    def show(self, step: Step, percentage: float) -> None:
        """Take the newest value."""
        before = self._latest
        same_step = before is not None and before.step is step
        since = before.since if before is not None and same_step else time.monotonic()
        self._latest = Position(step, percentage, since)
        self._changed.set()
        if not same_step:
            self._entered.append(Entered(step, time.time(), since))
            logger.info("step %s begins", step)
            self._urgent.set()

    def show_metric(self, name: str, value: Figure) -> None:
        """Take a figure; it goes along with the next value."""
        self._figures[name] = value
        self._changed.set()

    def show_warning(self, warning: JobWarning) -> None:
        """Take a warning; it goes along with the next value."""
        logger.warning("%s: %s", warning.reason, warning.message)
        self._warnings.append(warning)
        self._changed.set()

    def raise_if_stopped(self) -> None:
        """Raise `JobCancelled` where the attempt must stop."""
        self._stop.raise_if_given()

    def visits(self) -> tuple[StepVisit, ...]:
        """Return the steps that the attempt came to, in order; the last one until now.

        The first one's beginning is a time of day, from which the others are counted: that clock may be set meanwhile.
        """
        if not self._entered:
            return ()
        offset_s = self._entered[0].at - self._entered[0].since
        ends = [*(entered.since for entered in self._entered[1:]), time.monotonic()]
        return tuple(
            StepVisit(step=entered.step, began_at=offset_s + entered.since, seconds=round(end - entered.since, 3))
            for entered, end in zip(self._entered, ends, strict=True)
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The figures that were shown, few and short."""
        return limit_metrics(Metric(name=name, value=str(value)) for name, value in list(self._figures.items()))

    @property
    def photos(self) -> int | None:
        """How many photos the job has, once that was shown."""
        photos = self._figures.get(PHOTOS)
        return photos if isinstance(photos, int) else None

    def _run(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            self._urgent.clear()
            if self._ended:
                return
            self._send_latest()
            self._urgent.wait(INTERVAL_S)

    def _send_latest(self) -> None:
        if (latest := self._latest) is None:
            return
        meta = ProgressMeta(
            progress=round(latest.percentage, 2),
            step=latest.step,
            step_elapsed_s=round(time.monotonic() - latest.since, 3),
            metrics=self.metrics,
            photos=self.photos,
            warnings=limit_warnings(list(self._warnings)),
            log=self.log_address,
        )
        try:
            self._send(meta)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job goes on; the next value is tried again
            logger.debug("progress was not sent: %s", error)
