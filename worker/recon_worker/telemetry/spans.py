"""The spans that a worker tells of an attempt, by OpenTelemetry over OTLP/HTTP, as children of the operator's.

run attempt <n>     from the claim to the record of its end
  <step>            one for each step that it came to
  publish           the last step: the result is put in its place
"""

import os
import threading
import time
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from recon_api.payload import AttemptResult, Outcome, TaskPayload
from recon_api.steps import Step
from recon_api.trace_context import parse_traceparent
from recon_worker.attempt.attempt_record import StepVisit

PUBLISH = "publish"
CLOSE_WITHIN_S = 2.0


class AttemptSpans:
    """Tells the spans; by the environment's OTEL_ variables, where they say how."""

    def __init__(self) -> None:
        """Begin a thread that sends them in batches."""
        name = os.environ.get("OTEL_SERVICE_NAME") or "reconstruction-worker"
        self._provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("recon_worker")

    def note_end(self, payload: TaskPayload, result: AttemptResult, steps: Sequence[StepVisit]) -> None:
        """Tell the spans of an attempt and of its steps; nothing where the operator tells none."""
        parent = parse_traceparent(payload.traceparent)
        if parent is None:
            return
        trace_id, span_id, flags = parent
        began = result.started_at.timestamp() if result.started_at else time.time()
        span = self._tracer.start_span(
            f"run attempt {payload.attempt}", _within(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))),
            SpanKind.CONSUMER, start_time=_ns(began),
            attributes={
                "reconstruction.uid": payload.job_id, "reconstruction.job": payload.name,
                "k8s.namespace.name": payload.namespace, "reconstruction.attempt": payload.attempt,
                "reconstruction.model": payload.model_type, "reconstruction.worker": result.worker,
                "reconstruction.outcome": result.outcome.value, "reconstruction.reason": result.reason,
            },
        )  # fmt: skip
        for visit in steps:
            name = PUBLISH if visit.step is Step.FINALIZING else visit.step.value
            step = self._tracer.start_span(name, _within(span.get_span_context()), start_time=_ns(visit.began_at))
            step.end(_ns(visit.began_at + visit.seconds))
        if result.outcome is Outcome.FAILED:
            span.set_status(Status(StatusCode.ERROR, f"{result.reason}: {result.message}"))
        span.end()

    def close(self) -> None:
        """Send what is still to be sent, but not for long."""
        # A collector that is away is tried again for much longer, and nothing else ends that.
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(CLOSE_WITHIN_S)


def _within(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
