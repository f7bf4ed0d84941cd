"""Traces of attempts, where an OTLP endpoint is set. Where none is, nothing that sends them is even imported."""

from collections.abc import Sequence
from typing import Protocol

from recon_api.payload import AttemptResult, TaskPayload
from recon_runtime.tracing import tracing_where_asked
from recon_worker.attempt.attempt_record import StepVisit


class Tracing(Protocol):
    """Tells of attempts that have ended."""

    def note_end(self, payload: TaskPayload, result: AttemptResult, steps: Sequence[StepVisit]) -> None:
        """Tell the spans of an attempt and of its steps."""

    def close(self) -> None:
        """Send what is still to be sent, but not for long."""


class NoTracing:
    """Traces that nobody asked for."""

    def note_end(self, payload: TaskPayload, result: AttemptResult, steps: Sequence[StepVisit]) -> None:
        """Forget it."""

    def close(self) -> None:
        """Have nothing to send."""


def make_tracing(endpoint: str) -> Tracing:
    """Return what tells traces to this endpoint; where the extra `tracing` is not installed it says so and tells none."""
    without: Tracing = NoTracing()
    return tracing_where_asked(endpoint, _attempt_spans, without)


def _attempt_spans() -> Tracing:
    from recon_worker.telemetry.spans import AttemptSpans

    return AttemptSpans()
