"""A photo's focal length in pixels, from its EXIF data.

35 mm equivalents are defined over the diagonal of the picture (CIPA DCG-001); the focal plane's resolution over the
pixels of the sensor (Exif 2.32, 4.6.5). A photo that was resized keeps both valid, as only ratios are used.
"""

import math
from collections.abc import Mapping
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base

DIAGONAL_35MM = math.hypot(36.0, 24.0)
"""Of a 35 mm film frame, in millimetres."""

PLAUSIBLE = (0.3, 30.0)
"""Least and most of a focal length relative to the photo's longer side: a fisheye's to a bird watcher's."""

_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""Of FocalPlaneResolutionUnit: inch, cm, mm, micrometre."""


def focal_px(exif: Image.Exif, width: int, height: int) -> float | None:
    """Return the focal length in pixels of a photo of that size, None where EXIF does not say or is implausible."""
    tags: Mapping[int, Any] = exif.get_ifd(IFD.Exif)
    for value in (_from_35mm(tags, width, height), _from_focal_plane(tags, width, height)):
        if value is not None and PLAUSIBLE[0] <= value / max(width, height) <= PLAUSIBLE[1]:
            return value
    return None


def _from_35mm(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    equivalent_mm = _number(tags.get(Base.FocalLengthIn35mmFilm))
    return equivalent_mm and equivalent_mm / DIAGONAL_35MM * math.hypot(width, height)


def _from_focal_plane(tags: Mapping[int, Any], width: int, height: int) -> float | None:
    focal_mm = _number(tags.get(Base.FocalLength))
    resolution = _number(tags.get(Base.FocalPlaneXResolution))
    unit_mm = _MM_PER_UNIT.get(tags.get(Base.FocalPlaneResolutionUnit, 2))
    if focal_mm is None or resolution is None or unit_mm is None:
        return None
    sides = [_number(tags.get(tag)) for tag in (Base.ExifImageWidth, Base.ExifImageHeight)]
    original_side = max((side for side in sides if side is not None), default=None)
    return focal_mm * resolution / unit_mm * max(width, height) / (original_side or max(width, height))


def _number(value: object) -> float | None:
    """Return a positive finite number, None for anything else that EXIF may hold."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
