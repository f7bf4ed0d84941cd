"""/metrics of a worker, and nothing else."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

STALLED_S = 10.0
"""Whoever asks, and then says and takes nothing for so long, is left."""


def serve(registry: CollectorRegistry, host: str, port: int) -> ThreadingWSGIServer:
    """Serve these metrics from a thread of its own, as long as the process lives. Raises OSError: the port is taken."""
    metrics = make_wsgi_app(registry)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return metrics(environ, start_response)  # type: ignore[no-any-return]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"only /metrics is here\n"]

    server = make_server(host, port, application, ThreadingWSGIServer, _Handler)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Handler(WSGIRequestHandler):
    timeout = STALLED_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Keep scrapes out of the log."""
