"""The spans that a worker tells of an attempt, by OpenTelemetry over OTLP/HTTP, as children of the operator's.

run attempt <n>     from the claim to the record of its end
  <step>            one for each step that it came to
  publish           the last step: the result is put in its place
"""

import time
from collections.abc import Sequence

from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from recon_api.payload import AttemptResult, Outcome, TaskPayload
from recon_api.steps import Step
from recon_api.trace_context import parse_traceparent
from recon_runtime.spans import SpanExport, nanoseconds, within
from recon_worker.telemetry.attempt_record import StepVisit

PUBLISH = "publish"


class AttemptSpans(SpanExport):
    """Tells the spans; by the environment's OTEL_ variables, where they say how."""

    def __init__(self) -> None:
        """Begin a thread that sends them in batches."""
        super().__init__("worker")

    def note_end(self, payload: TaskPayload, result: AttemptResult, steps: Sequence[StepVisit]) -> None:
        """Tell the spans of an attempt and of its steps; nothing where the operator tells none."""
        parent = parse_traceparent(payload.traceparent)
        if parent is None:
            return
        trace_id, span_id, flags = parent
        began = result.started_at.timestamp() if result.started_at else time.time()
        span = self._tracer.start_span(
            f"run attempt {payload.attempt}",
            within(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))),
            SpanKind.CONSUMER,
            start_time=nanoseconds(began),
            attributes={
                "reconstruction.uid": payload.job_id,
                "reconstruction.job": payload.name,
                "k8s.namespace.name": payload.namespace,
                "reconstruction.attempt": payload.attempt,
                "reconstruction.model": payload.model_type,
                "reconstruction.worker": result.worker,
                "reconstruction.outcome": result.outcome.value,
                "reconstruction.reason": result.reason,
            },
        )
        for visit in steps:
            name = PUBLISH if visit.step is Step.FINALIZING else visit.step.value
            step = self._tracer.start_span(
                name, within(span.get_span_context()), start_time=nanoseconds(visit.began_at)
            )
            step.end(nanoseconds(visit.began_at + visit.seconds))
        if result.outcome is Outcome.FAILED:
            span.set_status(Status(StatusCode.ERROR, f"{result.reason}: {result.message}"))
        span.end(nanoseconds(began + (result.ran_s or 0.0)))
