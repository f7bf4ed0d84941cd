"""JPS files: one JPEG with the pictures of both eyes, of which the left eye's is used.

The layout is in an APP3 segment (VRex, "General Purpose Stereoscopic Data Descriptor", 1997); a file without it has the right
eye's picture at the left, for viewing with crossed eyes.
"""

from dataclasses import dataclass

from PIL import Image

SUFFIX = ".jps"

_MAGIC = b"_JPSJPS_"
_FLAGS, _LAYOUT, _TYPE = 11, 12, 13
"""Places of the descriptor's bytes in the segment."""

_HALF_HEIGHT, _HALF_WIDTH, _LEFT_FIRST = 1, 2, 4
_SIDE_BY_SIDE, _OVER_UNDER = 2, 3
_STEREO = 1


@dataclass(frozen=True)
class _Layout:
    one_above_the_other: bool = False
    left_first: bool = False
    squeezed: bool = False


def left_picture(image: Image.Image) -> Image.Image:
    """Return the left eye's half of a decoded JPS file, in its true proportions; one that is not a pair is returned whole.

    Raises ValueError, continuing a sentence that begins with the file's name, where the two pictures are mixed.
    """
    layout = _layout(image)
    if layout is None:
        return image
    width, height = image.size
    if layout.one_above_the_other:
        top = 0 if layout.left_first else height // 2
        half = image.crop((0, top, width, top + height // 2))
        return half.resize((half.width, 2 * half.height)) if layout.squeezed else half
    left = 0 if layout.left_first else width // 2
    half = image.crop((left, 0, left + width // 2, height))
    return half.resize((2 * half.width, half.height)) if layout.squeezed else half


def _layout(image: Image.Image) -> _Layout | None:
    """Return how the two pictures lie; None where the file says that it has only one."""
    segments = getattr(image, "applist", ())
    data = next((data for name, data in segments if name == "APP3" and data.startswith(_MAGIC)), b"")
    if len(data) <= _TYPE:
        return _Layout()
    if data[_TYPE] != _STEREO:
        return None
    if data[_LAYOUT] not in (_SIDE_BY_SIDE, _OVER_UNDER):
        raise ValueError("mixes the pictures of both eyes line by line or by colour; save them side by side")
    above = data[_LAYOUT] == _OVER_UNDER
    squeezed = data[_FLAGS] & (_HALF_HEIGHT if above else _HALF_WIDTH)
    return _Layout(above, bool(data[_FLAGS] & _LEFT_FIRST), bool(squeezed))
