"""A TCP proxy in front of a server, which notes what its client says and can be cut, as a network that drops everything."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.waiting import wait_for

CHUNK = 1 << 16


class Proxy:
    """Forwards connections to a port of this machine, until it is cut."""

    def __init__(self, target_port: int) -> None:
        """Listen on a free port; nothing is forwarded before `serve`."""
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self._connected = threading.Event()
        self._connected.set()
        self._said = bytearray()
        self._clients: list[threading.Thread] = []
        self.port = int(self._listener.getsockname()[1])

    def said(self) -> bytes:
        """Return all that clients have sent so far."""
        return bytes(self._said)

    def said_at_last(self) -> bytes:
        """Return all that clients have ever sent, once each has hung up; what they sent last may still be on its way before."""
        wait_for("all clients have hung up", lambda: not any(thread.is_alive() for thread in self._clients))
        return self.said()

    def cut(self) -> None:
        """Drop what comes from now on, on connections that stay open."""
        self._connected.clear()

    def serve(self) -> None:
        """Take connections until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = socket.create_connection(("127.0.0.1", self._target_port))
                self._sockets.append(server)
                for source, sink in ((client, server), (server, client)):
                    thread = threading.Thread(target=self._forward, args=(source, sink, source is client), daemon=True)
                    if source is client:
                        self._clients.append(thread)
                    thread.start()

    def close(self) -> None:
        """End all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _forward(self, source: socket.socket, sink: socket.socket, from_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if from_client:
                    self._said += data
                if self._connected.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A running proxy in front of a port."""
    proxy = Proxy(port)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
