"""Signed distances (negative inside) from points (n, 3) to simple solids, and ways to join them.

Points, places and lengths are in the truth's frame (right-handed, z up) and unit; arrays are float32.

After Inigo Quilez, "Distance functions" (iquilezles.org/articles/distfunctions). Ellipsoids are bounds, not exact.
"""

from collections.abc import Sequence

import numpy as np

from recon_worker.rendering.arrays import Floats, floats

Vector = tuple[float, float, float]


def ellipsoid(points: Floats, centre: Vector, radii: Vector) -> Floats:
    """Return the distance bound (n,) from points (n, 3) to an ellipsoid with axes along x, y, z; its zero set is exact."""
    offset = points - floats(centre)
    scaled = np.linalg.norm(offset / floats(radii), axis=1)
    gradient = np.linalg.norm(offset / floats(np.square(radii)), axis=1)
    distance: Floats = scaled * (scaled - 1) / np.maximum(gradient, np.float32(1e-6))
    return distance


def cylinder(points: Floats, centre: Vector, radius: float, half_height: float, rounding: float) -> Floats:
    """Return the distance (n,) from points (n, 3) to an upright cylinder with rounded edges."""
    offset = points - floats(centre)
    outward = np.hypot(offset[:, 0], offset[:, 1]) - np.float32(radius - rounding)
    upward = np.abs(offset[:, 2]) - np.float32(half_height - rounding)
    outside = np.hypot(np.maximum(outward, 0), np.maximum(upward, 0))
    distance: Floats = np.minimum(np.maximum(outward, upward), 0) + outside - np.float32(rounding)
    return distance


def tube(points: Floats, path: Sequence[Vector], radii: Sequence[float]) -> Floats:
    """Return the distance (n,) from points (n, 3) to a tube along a polyline.

    Its radius changes linearly between the corners.
    """
    nearest = np.full(len(points), np.inf, dtype=np.float32)
    squares = np.einsum("ij,ij->i", points, points)
    for start, end, radius_start, radius_end in zip(path, path[1:], radii, radii[1:], strict=False):
        first, axis = floats(start), np.subtract(end, start, dtype=np.float32)
        along_axis = points @ axis - first @ axis
        length_square = axis @ axis
        along = np.clip(along_axis / length_square, 0, 1)
        square = squares - 2 * (points @ first) + first @ first + along * (along * length_square - 2 * along_axis)
        radius = np.float32(radius_start) + along * np.float32(radius_end - radius_start)
        np.minimum(nearest, np.sqrt(np.maximum(square, 0)) - radius, out=nearest)
    return nearest


def bezier(corners: Sequence[Vector], count: int) -> list[Vector]:
    """Return `count` points along a cubic Bezier curve with four control points."""
    t = np.linspace(0, 1, count)[:, None]
    p0, p1, p2, p3 = np.asarray(corners, dtype=float)
    curve = (1 - t) ** 3 * p0 + 3 * t * (1 - t) ** 2 * p1 + 3 * t**2 * (1 - t) * p2 + t**3 * p3
    return [(float(x), float(y), float(z)) for x, y, z in curve]


def smooth_union(first: Floats, second: Floats, width: float) -> Floats:
    """Return the distance (n,) to the union of two solids, at distances (n,) each, with a fillet of about `width`."""
    blend = np.clip(np.float32(0.5) + (second - first) / np.float32(2 * width), 0, 1)
    joined: Floats = second + blend * (first - second) - np.float32(width) * blend * (1 - blend)
    return joined
