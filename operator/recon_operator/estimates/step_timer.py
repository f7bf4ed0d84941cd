"""For how long each running attempt has been at its step, and how long its earlier steps took, by its reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recon_api.payload import ProgressMeta
from recon_api.steps import Step


@dataclass(frozen=True)
class StepDurations:
    """What the reports of one attempt say of time."""

    step_elapsed_s: float = 0.0
    """For how long it has been at its step: also since its latest report, which may be old."""
    finished_s: Mapping[Step, float] = field(default_factory=dict)
    """How long the steps took whose beginning and end were both seen."""


@dataclass
class _Attempt:
    number: int
    step: Step
    begun: float
    finished_s: dict[Step, float] = field(default_factory=dict)


class StepTimer:
    """Remembers when the running attempts came to their steps, for as long as the operator runs."""

    def __init__(self) -> None:
        self._attempts: dict[str, _Attempt] = {}

    def record(self, uid: str, attempt: int, report: ProgressMeta | None, now: float) -> StepDurations:
        """Record the latest report, read at `now` (seconds of any steady clock); return what is known of time."""
        if report is None:
            return StepDurations()
        begun = now - report.step_elapsed_s
        known = self._attempts.get(uid)
        if known is None or known.number != attempt:
            known = self._attempts[uid] = _Attempt(attempt, report.step, begun)
        elif known.step is not report.step:
            known.finished_s[known.step] = max(begun - known.begun, 0.0)
            known.step, known.begun = report.step, begun
        known.begun = min(known.begun, begun)  # an old report, read again, seems to have begun later
        return StepDurations(now - known.begun, dict(known.finished_s))

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job of which nothing runs any more."""
        self._attempts.pop(uid, None)
