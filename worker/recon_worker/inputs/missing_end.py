"""JPEG files that lack their end: those of which nothing but the end marker is missing are good photos."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

START_OF_IMAGE, END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"

COEFFICIENTS = 64
"""Of each block of a component."""

PROGRESSIVE_FRAME, SCAN = 0xC2, 0xDA
WITHOUT_LENGTH = (0x00, 0x01, *range(0xD0, 0xD9))
"""Second bytes of what is no marker, or one that nothing belongs to: a stuffed zero, TEM, restarts, the start of the image."""

MOST_SCANS = 1000
"""Of a picture; encoders make ten."""

STRIP_PX = 8
"""Height of a block: where data are missing, the decoder fills in one colour from there on."""


def is_jpeg(original: BufferedReader) -> bool:
    """Say whether a file begins as a JPEG does."""
    original.seek(0)
    return original.read(len(START_OF_IMAGE)) == START_OF_IMAGE


def is_whole(image: Image.Image, original: BufferedReader) -> bool:
    """Say whether a decoded JPEG without an end marker has at least a part of its last row of blocks.

    A picture whose lowest rows are of one colour may have lost them, or not. A progressive one is made of passes over the whole
    picture; it is whole if they all begin, and the last one adds nothing but the last bit of some values.
    """
    if image.info.get("progressive"):
        original.seek(0)
        return _has_all_scans(original.read())
    lowest = np.asarray(image.convert("L").crop((0, image.height - STRIP_PX, image.width, image.height)))
    return int(np.ptp(lowest)) > 1


@dataclass(frozen=True)
class _Scan:
    """The header of a pass (ITU-T T.81, B.2.3): which coefficients of which components it holds, and to which bit."""

    components: bytes
    first: int
    last: int
    refines: bool
    """Whether it adds a bit to values that an earlier pass began."""
    is_exact: bool
    """Whether the values are complete to the last bit after it."""


def _has_all_scans(content: bytes) -> bool:
    components, scans = b"", list[_Scan]()
    for marker, segment in _segments(content):
        if marker == PROGRESSIVE_FRAME and len(segment) >= 6:
            components = segment[6::3]
        elif marker == SCAN and segment and len(segment) >= 4 + 2 * segment[0]:
            scans.append(_scan(segment))
        if len(scans) > MOST_SCANS:
            return False
    exact = {
        (component, number)
        for scan in scans
        if scan.is_exact
        for component in scan.components
        for number in range(scan.first, scan.last + 1)
    }
    return bool(scans) and scans[-1].refines and len(exact) == COEFFICIENTS * len(components)


def _scan(segment: bytes) -> _Scan:
    count = segment[0]
    first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
    return _Scan(segment[1 : 1 + 2 * count : 2], first, last, refines=bits >> 4 > 0, is_exact=bits & 15 == 0)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker of a JPEG and what belongs to it, without its length; the data of scans are passed over."""
    at = 0
    while (at := content.find(b"\xff", at)) >= 0 and at + 4 <= len(content):
        marker = content[at + 1]
        if marker in WITHOUT_LENGTH:
            at += 2
        elif marker == 0xFF:  # a fill byte
            at += 1
        else:
            length = int.from_bytes(content[at + 2 : at + 4], "big")
            yield marker, content[at + 4 : at + 2 + length]
            at += 2 + max(length, 2)


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
