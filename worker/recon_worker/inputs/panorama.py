"""Panoramas of 360°: no camera with a plane picture takes one, so it cannot be placed among photos.

One that is stitched to an equirectangular picture is twice as wide as high, goes on at its right edge where its left one begins,
and shows one point, right above or below, in the whole of its first and its last row.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

XMP_MARK = b"equirectangular"
"""Value of GPano:ProjectionType in the XMP data of a panorama (Google, Photo Sphere XMP Metadata)."""

SIZE_PX = (256, 128)
"""Width and height at which a picture is looked at."""

NEAR_PX = 24
"""So far from an edge, a picture that has more than a plain background shows something else."""

MUCH_MORE = 3.0
"""Least ratio of the change over that distance to the change from edge to edge."""

LEAST_CHANGE = 6.0
"""Levels that are a change at all."""

POLE_SHARE = 0.35
"""Share of the usual spread within a row that a row of one point may have, beside what resampling mixes into it."""


def is_panorama(image: Image.Image) -> bool:
    """Say whether an upright, decoded picture is an equirectangular panorama."""
    width, height = image.size
    if abs(width - 2 * height) > 2:
        return False
    if XMP_MARK in bytes(image.info.get("xmp") or b""):
        return True
    grey = np.asarray(image.convert("L").resize(SIZE_PX, Image.Resampling.BOX), np.float64)
    return _goes_round(grey) and _has_poles(grey)


def _goes_round(grey: npt.NDArray[np.float64]) -> bool:
    """Say whether the right edge of a picture (h, w) goes on at its left one, and either has something beside it."""
    across = np.abs(grey[:, 0] - grey[:, -1]).mean()
    beside = min(np.abs(grey[:, 0] - grey[:, NEAR_PX]).mean(), np.abs(grey[:, -1] - grey[:, -1 - NEAR_PX]).mean())
    return bool(beside > max(MUCH_MORE * across, LEAST_CHANGE))


def _has_poles(grey: npt.NDArray[np.float64]) -> bool:
    """Say whether the first and the last row of a picture (h, w) are each of nearly one level."""
    usual = float(np.median(grey.std(axis=1)))
    return bool(max(grey[0].std(), grey[-1].std()) <= max(POLE_SHARE * usual, LEAST_CHANGE))
