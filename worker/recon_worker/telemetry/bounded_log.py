"""The log of one attempt for the job's owner, who may not read the workers' own: of bounded size, as text."""

import logging
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from recon_runtime.logs import TextLines

HEAD_BYTES = 768 << 10
"""How much of a log is written as it comes."""

TAIL_BYTES = 256 << 10
"""How much of its end is kept where it becomes longer, and written once the attempt ends."""

LONGEST_LINE = 16 << 10
"""Bytes of one entry; the rest of it, such as of a traceback, is cut off."""


@contextmanager
def logging_to(stream: BinaryIO) -> Iterator[None]:
    """Write what this process logs within the block into the stream as well, at most `HEAD_BYTES + TAIL_BYTES` and a line."""
    handler = BoundedLog(stream)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


class BoundedLog(logging.Handler):
    """Writes the beginning of a log at once, and the end of a long one when it is closed."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write into an unbuffered stream, which stays open."""
        super().__init__()
        self.setFormatter(TextLines())
        self._stream, self._head_left, self._tail_bytes, self._left_out = stream, HEAD_BYTES, 0, 0
        self._tail: deque[bytes] = deque()

    def emit(self, record: logging.LogRecord) -> None:
        """Write an entry, or keep it for the end."""
        try:
            entry = self.format(record).encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)
            return
        entry = entry[:LONGEST_LINE] + b"\n"
        if not self._tail and len(entry) <= self._head_left:
            self._head_left -= len(entry)
            self._write(entry)
        else:
            self._keep(entry)

    def close(self) -> None:
        """Write the end of a long log."""
        if self._left_out:
            self._write(f"... {self._left_out} entries are left out here ...\n".encode())
        self._write(b"".join(self._tail))
        self._tail.clear()
        super().close()

    def _keep(self, entry: bytes) -> None:
        self._tail.append(entry)
        self._tail_bytes += len(entry)
        while self._tail_bytes > TAIL_BYTES:
            self._tail_bytes -= len(self._tail.popleft())
            self._left_out += 1

    def _write(self, entry: bytes) -> None:
        try:
            self._stream.write(entry)
        except OSError as error:  # a full volume is no failure of the job
            sys.stderr.write(f"the attempt's log cannot be written: {error}\n")
            self._head_left = 0
