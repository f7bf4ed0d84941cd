"""How spans leave a process: in batches, by OpenTelemetry over OTLP/HTTP. Only what tells spans imports this."""

import os
import threading

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

CLOSE_WITHIN_S = 2.0
"""How long the end of a process waits for a collector; one that is away is tried again for much longer."""


class SpanExport:
    """Tells spans; by the environment's OTEL_ variables, where they say how."""

    def __init__(self, side: str, ids: IdGenerator | None = None) -> None:
        """Begin a thread that sends the spans of this side, `operator` or `worker`, in batches."""
        name = os.environ.get("OTEL_SERVICE_NAME") or f"reconstruction-{side}"
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": name}), id_generator=ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(f"recon_{side}")

    def close(self) -> None:
        """Send what is still to be sent, but not for long."""
        # Nothing else ends the exporter's own attempts at a collector that is away.
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(CLOSE_WITHIN_S)


def within(parent: SpanContext) -> Context:
    """Return the context of spans that are children of this one, of any process."""
    return set_span_in_context(NonRecordingSpan(parent), Context())


def nanoseconds(seconds: float) -> int:
    """Return a Unix time as OpenTelemetry counts it."""
    return int(seconds * 1e9)
