"""Passing an attempt's progress on, from a thread of its own: an outage of Redis neither blocks nor fails the job.

Only the latest value counts: at most a few a second are sent, but every new step at once.
"""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from recon_api.payload import ProgressMeta
from recon_api.status import Metric, StepTime
from recon_api.steps import Step
from recon_worker.stop import StopOrder

INTERVAL_S = 0.2
"""Between two values of the same step."""

MOST_FIGURES, LONGEST_FIGURE = 20, 200
"""How many figures are passed on, and how many characters of each."""

CLOSING_S = 1.0
"""How long the end of an attempt waits for a value that is on its way."""

logger = logging.getLogger(__name__)


class ProgressFeed:
    """A `ProgressSink` that sends what it is shown, and raises where the attempt must stop."""

    def __init__(self, send: Callable[[ProgressMeta], None], stop: StopOrder) -> None:
        """Send by `send`, which may block and raise."""
        self._send, self._stop = send, stop
        self._latest: tuple[Step, float] | None = None
        self._step_since = time.monotonic()
        self._figures: dict[str, str] = {}
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
        new_step = self._latest is None or self._latest[0] is not step
        if new_step:
            self._step_since = time.monotonic()
        self._latest = (step, percentage)
        self._changed.set()
        if new_step:
            self._urgent.set()

    def show_metric(self, name: str, value: str) -> None:
        """Take a figure; it goes along with the next value."""
        self._figures[name] = value
        self._changed.set()

    def raise_if_stopped(self) -> None:
        """Raise `JobCancelled` where the attempt must stop."""
        self._stop.raise_if_given()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All figures that were shown."""
        figures = list(self._figures.items())[:MOST_FIGURES]
        return tuple(Metric(name=name, value=value[:LONGEST_FIGURE]) for name, value in figures)

    @property
    def finalizing_time(self) -> tuple[StepTime, ...]:
        """How long the last step has taken so far, where it was come to."""
        if self._latest is None or self._latest[0] is not Step.FINALIZING:
            return ()
        return (StepTime(name=Step.FINALIZING, seconds=round(time.monotonic() - self._step_since, 3)),)

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
        if self._latest is None:
            return
        step, percentage = self._latest
        elapsed_s = round(time.monotonic() - self._step_since, 3)
        meta = ProgressMeta(progress=round(percentage, 2), step=step, step_elapsed_s=elapsed_s, metrics=self.metrics)
        try:
            self._send(meta)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job goes on; the next value is tried again
            logger.debug("progress was not sent: %s", error)
