"""A receiver of traces by OTLP over HTTP, as a collector is: real requests, real protobuf."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Told:
    """One span, and who told it."""

    service: str
    span: Span

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes that are texts."""
        return {pair.key: pair.value.string_value for pair in self.span.attributes}


@dataclass
class Receiver:
    """What has been received so far."""

    port: int
    spans: list[Told] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Value of OTEL_EXPORTER_OTLP_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"

    def named(self) -> set[tuple[str, str]]:
        """Return the name of the job and of the span, of each span that names its job."""
        return {(told.attributes.get("reconstruction.job", ""), told.span.name) for told in list(self.spans)}

    def of_job(self, uid: str) -> list[Told]:
        """Return the spans that name this job, or belong to the trace of one that does."""
        traces = {told.span.trace_id for told in self.spans if told.attributes.get("reconstruction.uid") == uid}
        return [told for told in self.spans if told.span.trace_id in traces]


def paths(spans: list[Told]) -> set[str]:
    """Return each span with its ancestors, as `job/attempt 1/dispatch`; one whose parent is missing begins with `?`."""
    by_id = {told.span.span_id: told for told in spans}

    def path(told: Told) -> str:
        parent = told.span.parent_span_id
        if not parent:
            return told.span.name
        return f"{path(by_id[parent]) if parent in by_id else '?'}/{told.span.name}"

    return {path(told) for told in spans}


@contextmanager
def receiving(port: int) -> Iterator[Receiver]:
    """Yield a receiver on this port."""
    receiver = Receiver(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                for scope in resource.scope_spans:
                    receiver.spans.extend(Told(names["service.name"], span) for span in scope.spans)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
