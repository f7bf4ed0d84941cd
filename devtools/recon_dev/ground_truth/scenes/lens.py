"""The lens: radial distortion with one coefficient, as COLMAP's SIMPLE_RADIAL has it.

A ray that a pinhole camera would show at (x, y), normalised by focal length and principal point, is shown at
(x, y) * (1 + k1 * (x^2 + y^2)). With `k1` below 0 (a barrel) the photo shows a little more than the pinhole's.
"""

import numpy as np

from recon_worker.rendering.arrays import Floats

ITERATIONS = 6
"""Of Newton's method; from where it starts, three are exact in single precision for lenses of photo cameras."""


def distorted(places: Floats, k1: float) -> Floats:
    """Return where the lens shows what a pinhole camera shows at normalised places (n, 2)."""
    moved: Floats = places * (1 + np.float32(k1) * np.square(places).sum(axis=1, keepdims=True))
    return moved


def undistorted(places: Floats, k1: float) -> Floats:
    """Return where a pinhole camera shows what the lens shows at normalised places (n, 2)."""
    if k1 == 0:
        return places
    shown = np.sqrt(np.square(places).sum(axis=1))
    radius = shown.copy()
    for _ in range(ITERATIONS):
        radius -= (radius * (1 + np.float32(k1) * radius**2) - shown) / (1 + np.float32(3 * k1) * radius**2)
    moved: Floats = places * (radius / np.maximum(shown, np.float32(1e-9)))[:, None]
    return moved
