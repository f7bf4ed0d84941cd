"""Ports of the loopback interface, reserved for servers that start later."""

import socket
from typing import Self

LOOPBACK = "127.0.0.1"


class ReservedPort:
    """A port that the kernel gives to no other program: neither as a free port nor as the source port of a connection.

    The port is held by a socket that is bound and never listens. A server can still listen on it: both sockets set
    SO_REUSEADDR, as servers do on Linux.
    """

    def __init__(self, wanted: int = 0) -> None:
        """Reserve this port, or any free one for 0. Raises OSError if another program listens on it."""
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((LOOPBACK, wanted))
        except OSError:
            self._socket.close()
            raise
        self.number = int(self._socket.getsockname()[1])

    @classmethod
    def prefer(cls, wanted: int) -> Self:
        """Reserve this port if no program listens on it, else any free one."""
        try:
            return cls(wanted)
        except OSError:
            return cls()

    def release(self) -> None:
        """Let other programs have the port."""
        self._socket.close()
