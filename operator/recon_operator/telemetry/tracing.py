"""Traces of jobs, where an OTLP endpoint is set. Where none is, nothing that sends them is even imported."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from recon_api.payload import TaskPayload
from recon_api.resource import ReconstructionJob
from recon_runtime.tracing import tracing_where_asked


class Tracing(Protocol):
    """Tells a trace of each job, from its creation to its end."""

    def note_transition(self, before: ReconstructionJob, after: ReconstructionJob) -> None:
        """Tell the spans that a written status has ended."""

    def dispatching(self, payload: TaskPayload) -> AbstractContextManager[None]:
        """Tell the block as the span of sending an attempt."""

    def traceparent(self, payload: TaskPayload) -> str | None:
        """Return what makes the worker's spans part of the job's trace."""

    def close(self) -> None:
        """Send what is still to be sent, but not for long."""


class NoTracing:
    """Traces that nobody asked for."""

    def note_transition(self, before: ReconstructionJob, after: ReconstructionJob) -> None:
        """Forget it."""

    def dispatching(self, payload: TaskPayload) -> AbstractContextManager[None]:
        """Do nothing around the block."""
        return nullcontext()

    def traceparent(self, payload: TaskPayload) -> str | None:
        """Return nothing."""
        return None

    def close(self) -> None:
        """Have nothing to send."""


def make_tracing(endpoint: str) -> Tracing:
    """Return what tells traces to this endpoint; where the extra `tracing` is not installed it says so and tells none."""
    without: Tracing = NoTracing()
    return tracing_where_asked(endpoint, _job_spans, without)


def _job_spans() -> Tracing:
    from recon_operator.telemetry.spans import JobSpans

    return JobSpans()
