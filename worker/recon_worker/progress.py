"""How a running reconstruction reports its progress, and checks whether it must stop.

A stage sees a `Progress`: it ticks with its own fraction and thereby checks whether it must stop. What happens to the
ticks is up to a `ProgressSink`: a terminal's bar, an attempt's lease thread, or nothing.
"""

from dataclasses import dataclass, field
from typing import Protocol

from recon_api.payload import JobWarning
from recon_api.steps import Step

Figure = str | int
"""A count stays a number as far as the contract has a field for it; people are shown it as text."""


class ProgressSink(Protocol):
    """Where progress goes, and where the order to stop comes from."""

    def show(self, step: Step, percentage: float) -> None:
        """Show that the job has come to this percentage (0 to 100, of the whole job) in this step. Must not block."""

    def show_metric(self, name: str, value: Figure) -> None:
        """Show a figure of the running job, such as the number of photos placed. Must not block."""

    def show_warning(self, warning: JobWarning) -> None:
        """Show what the owner of the job should know. Must not block."""

    def raise_if_stopped(self) -> None:
        """Raise `recon_api.errors.JobCancelled` where the work must stop. Cheap, and called by several threads at once."""


class SilentSink:
    """Progress that nobody follows, of work that nobody stops."""

    def show(self, step: Step, percentage: float) -> None:
        """Forget it."""

    def show_metric(self, name: str, value: Figure) -> None:
        """Forget it."""

    def show_warning(self, warning: JobWarning) -> None:
        """Forget it."""

    def raise_if_stopped(self) -> None:
        """Never stop."""


@dataclass
class Shown:
    """What a stage has shown, to be shown again where its finished work is used."""

    metrics: dict[str, Figure] = field(default_factory=dict)
    warnings: list[JobWarning] = field(default_factory=list)


class _RecordingSink:
    """Another sink, whose figures and warnings are kept too."""

    def __init__(self, sink: ProgressSink, shown: Shown) -> None:
        self._sink, self._shown = sink, shown
        self.show, self.raise_if_stopped = sink.show, sink.raise_if_stopped

    def show_metric(self, name: str, value: Figure) -> None:
        self._shown.metrics[name] = value
        self._sink.show_metric(name, value)

    def show_warning(self, warning: JobWarning) -> None:
        self._shown.warnings.append(warning)
        self._sink.show_warning(warning)


class Progress:
    """A span of one step's percentages, such as one stage's or one loop's; ticks are fractions of that span."""

    def __init__(self, sink: ProgressSink, step: Step, start: float, end: float) -> None:
        """Span the percentages `start` to `end` (0 to 100, of the whole job), all within `step`."""
        self._sink, self._step, self._start, self._end = sink, step, start, end

    @classmethod
    def of_step(cls, sink: ProgressSink, step: Step) -> "Progress":
        """Span a whole step."""
        return cls(sink, step, step.start_percentage, step.end_percentage)

    @classmethod
    def silent(cls) -> "Progress":
        """Span a step that nobody follows; for tests and for stages run by hand."""
        return cls.of_step(SilentSink(), Step.RECONSTRUCTION)

    def tick(self, fraction: float) -> None:
        """Say that this fraction (0 to 1) of the span is done, and raise `JobCancelled` where the work must stop."""
        self.check_cancelled()
        bounded = min(max(fraction, 0.0), 1.0)
        self._sink.show(self._step, self._start + bounded * (self._end - self._start))

    def check_cancelled(self) -> None:
        """Raise `JobCancelled` where the work must stop. Every long loop calls this (or `tick`) at least every 0.2 s."""
        self._sink.raise_if_stopped()

    def metric(self, name: str, value: Figure) -> None:
        """Show a figure of the running job."""
        self._sink.show_metric(name, value)

    def warn(self, warning: JobWarning) -> None:
        """Show what the owner of the job should know, though nothing fails."""
        self._sink.show_warning(warning)

    def recording(self, shown: Shown) -> "Progress":
        """Return the same span, whose figures and warnings are kept in `shown` too."""
        return Progress(_RecordingSink(self._sink, shown), self._step, self._start, self._end)

    def part(self, start: float, end: float) -> "Progress":
        """Return the sub-span between two fractions of this one."""
        width = self._end - self._start
        return Progress(self._sink, self._step, self._start + start * width, self._start + end * width)
