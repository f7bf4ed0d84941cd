"""A file that looks, each time it is read or written, whether the work must stop.

What decodes or encodes a picture goes through its file piece by piece, and so stops within one of them.
"""

import hashlib
import io
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


def checked(file: IO[bytes], check: Callable[[], None]) -> IO[bytes]:
    """Return the open file with `check` called before each piece; what it raises ends the work.

    It has no descriptor, and closing it leaves `file` open.
    """
    return cast("IO[bytes]", _CheckedFile(file, check))


def sha256_of(file: IO[bytes], check: Callable[[], None]) -> str:
    """Return the digest of the rest of an open file, in hexadecimal; `check` is called all the time and may raise."""
    return hashlib.file_digest(_CheckedFile(file, check), "sha256").hexdigest()


class _CheckedFile(io.RawIOBase):
    def __init__(self, file: IO[bytes], check: Callable[[], None]) -> None:
        self._file, self._check = file, check

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def seekable(self) -> bool:
        return self._file.seekable()

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._check()
        return int(self._file.readinto(buffer))  # type: ignore[attr-defined]

    def write(self, data: "ReadableBuffer") -> int:
        self._check()
        return self._file.write(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()
