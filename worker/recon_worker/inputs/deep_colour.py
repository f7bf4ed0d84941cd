"""Colour pictures of 16 bits a channel, of which Pillow keeps the upper 8: too few where a camera used 10 or 12 of them.

Pillow reads such pixels by a raw mode that picks the upper byte of each two, by the file's byte order. The raw mode of the other
byte order picks the lower one, so a second reading brings the rest.
"""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from recon_worker.inputs.pixels import bits_for

DEEP = "16"
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}

_COLOURS = 3


def is_deep(image: Image.Image) -> bool:
    """Say whether an open picture, not yet decoded, has colours of 16 bits."""
    return bool(image.mode in ("RGB", "RGBA") and _raw_mode(image).partition(";")[2].startswith(DEEP))


def deep_colours(upper: Image.Image, again: ImageFile.ImageFile) -> npt.NDArray[np.uint16]:
    """Return the colours, (h, w, 3), of a decoded 16-bit picture; `again` is the same file, open and not yet decoded."""
    again.tile = [tile._replace(args=_other_order(tile.args)) for tile in again.tile]
    again.load()
    high, low = (np.asarray(image)[..., :_COLOURS].astype(np.uint16) for image in (upper, again))
    return np.asarray(high << 8 | low)


def eight_bit(upper: Image.Image, again: ImageFile.ImageFile, least_bits: int) -> tuple[Image.Image, int]:
    """Return the picture with 8 bits a channel, scaled from as many as its colours use or more, and how many they use.

    `upper` and `again` are as in `deep_colours`.
    """
    colours = deep_colours(upper, again)
    used = bits_for(int(colours.max(initial=0)))
    largest = 2 ** max(used, least_bits) - 1
    scaled = Image.fromarray(np.rint(colours * (255 / largest)).astype(np.uint8))
    if upper.mode == "RGBA":
        scaled.putalpha(upper.getchannel("A"))
    scaled.info = upper.info
    return scaled, used


def _raw_mode(image: Image.Image) -> str:
    tiles = getattr(image, "tile", ())
    args = tiles[0].args if tiles else ""
    return str(args if isinstance(args, str) else args[0] if args else "")


def _other_order(args: Any) -> Any:
    """Return a tile's arguments, which are a raw mode or begin with one, with the mode of the other byte order."""
    if isinstance(args, str):
        return args[:-1] + _OTHER_ORDER[args[-1]]
    return (_other_order(args[0]), *args[1:])
