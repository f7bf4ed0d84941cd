"""Which cameras can exist: what comes out of photos that no pinhole camera took has other focal lengths and distortions."""

from collections.abc import Sequence

import numpy as np
import pycolmap

FOCAL_LENGTHS = (0.25, 20.0)
"""Least and most, as a share of the longer side: of 9 mm and 720 mm at 35 mm film's size."""

MOST_DISTORTION = 0.5
"""How far a point at a photo's corner may be from where a pinhole camera shows it, as a share of its distance from the middle."""

MOST_PHOTOS = 0.5
"""Share of the photos with impossible cameras from which nothing is right: a few may be cropped or cut out."""


def implausible(cameras: Sequence[pycolmap.Camera]) -> str:
    """Say what about the photos' cameras cannot be, continuing a sentence that begins with them; empty where nothing is odd."""
    focals = [camera.mean_focal_length() / max(camera.width, camera.height) for camera in cameras]
    odd = [focal for focal in focals if not FOCAL_LENGTHS[0] <= focal <= FOCAL_LENGTHS[1]]
    if len(odd) > MOST_PHOTOS * len(cameras):
        return f"would need a focal length of {np.median(odd):.2g} times their longer side"
    bent = [bend for camera in cameras if not abs(bend := corner_distortion(camera)) <= MOST_DISTORTION]
    if len(bent) > MOST_PHOTOS * len(cameras):
        return f"would need a lens that moves their corners by {100 * abs(np.median(bent)):.0f} %"
    return ""


def corner_distortion(camera: pycolmap.Camera) -> float:
    """Return how far a photo's corner is from where a pinhole camera shows it, relative to its distance from the middle.

    It is of a camera with one radial coefficient k: k r^2, r being the corner's distance on the plane at depth 1.
    """
    radius = np.hypot(camera.width, camera.height) / 2 / camera.mean_focal_length()
    return float(camera.params[3] * radius**2)
