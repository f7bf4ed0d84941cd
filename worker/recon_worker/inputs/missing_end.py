"""JPEG files that lack their end: those of which nothing but the end marker is missing are good photos."""

import io
from io import BufferedReader
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

START_OF_IMAGE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"

STRIP_PX = 8
"""Height of a block: where data are missing, the decoder fills in one colour from there on."""


def is_jpeg(original: BufferedReader) -> bool:
    """Say whether a file begins as a JPEG does."""
    original.seek(0)
    return original.read(len(START_OF_IMAGE)) == START_OF_IMAGE


def is_whole(image: Image.Image) -> bool:
    """Say whether a decoded JPEG without an end marker has at least a part of its last row of blocks.

    A progressive one is made of passes over the whole picture, of which no pixel says how many are missing. A picture whose
    lowest rows are of one colour may have lost them, or not.
    """
    if image.info.get("progressive"):
        return False
    lowest = np.asarray(image.convert("L").crop((0, image.height - STRIP_PX, image.width, image.height)))
    return int(np.ptp(lowest)) > 1


def with_end(original: BufferedReader) -> IO[bytes]:
    """Return the content of a file with an end marker behind it; without one, a decoder takes it for cut off."""
    return cast("IO[bytes]", _WithEnd(original))


class _WithEnd(io.RawIOBase):
    def __init__(self, original: BufferedReader) -> None:
        self._original = original
        self._size = original.seek(0, io.SEEK_END)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size + len(END_OF_IMAGE)}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        if self._position < self._size:
            self._original.seek(self._position)
            count = self._original.readinto(room)
        else:
            rest = END_OF_IMAGE[self._position - self._size :][: len(room)]
            count = len(rest)
            room[:count] = rest
        self._position += count
        return count
