"""Where a picture is taken from: perspective views around an object.

Points and directions are in the world frame, right-handed with +Y up, and in its unit. A view's own axes are right, up and
forward, which is a left-handed order.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.rendering.arrays import Floats, floats

FIELD_OF_VIEW_DEG = 28.0
"""Of the picture's shorter side; a short telephoto lens, as for portraits."""


@dataclass(frozen=True)
class View:
    """A camera: where it is and how its picture lies in the world."""

    position: Floats
    """(3,) centre of projection."""
    axes: Floats
    """(3, 3) rows: right, up and forward, unit length."""


def direction_of(azimuth_rad: float, elevation_rad: float) -> Floats:
    """Return the unit vector (3,) from the object to a camera; azimuth 0 is +Z, a quarter turn is +X."""
    level = np.cos(elevation_rad)
    return floats([level * np.sin(azimuth_rad), np.sin(elevation_rad), level * np.cos(azimuth_rad)])


def angles_of(direction: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Return azimuth and elevation in radians of a direction (3,) from the object; see `direction_of`."""
    x, y, z = direction / np.linalg.norm(direction)
    return float(np.arctan2(x, z)), float(np.arcsin(np.clip(y, -1, 1)))


def axes_facing(direction: Floats) -> Floats:
    """Return the axes (3, 3) of an upright camera that stands in `direction` from what it looks at."""
    forward = -direction
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(right, forward), forward]).astype(np.float32)


def framed(points: Floats, direction: Floats, aspect: float, fill: float) -> View:
    """Return the view from `direction` in which all points (n, 3) fill the share `fill` of the picture's tighter side.

    `aspect` is the picture's width by its height.
    """
    axes = axes_facing(direction)
    seen = points @ axes.T
    limits = fill * slopes(aspect)
    shift = np.zeros(3, dtype=np.float32)
    depth = 0.0
    for _ in range(3):  # moving the camera sideways changes the perspective a little: three rounds settle it
        offset = seen - shift
        depth = float((np.abs(offset[:, :2]) / limits - offset[:, 2:]).max())
        projected = offset[:, :2] / (offset[:, 2:] + depth)
        shift[:2] += (projected.max(axis=0) + projected.min(axis=0)) / 2 * depth
    return View((shift @ axes - axes[2] * depth).astype(np.float32), axes)


def framed_for_turning(points: Floats, elevation_rad: float, fill: float) -> tuple[Floats, float]:
    """Return the centre (3,) to turn about and the distance from it at which a square picture holds the object all round."""
    low, high = points.min(axis=0), points.max(axis=0)
    # The middle of the box is not the middle of the picture: try heights around it and take what leaves equal margins.
    heights = (low[1] + high[1]) / 2 + np.linspace(-0.25, 0.25, 21) * np.linalg.norm(high - low)
    centres = [floats([(low[0] + high[0]) / 2, height, (low[2] + high[2]) / 2]) for height in heights]
    distances = [_turning_distances(points - centre, elevation_rad, fill) for centre in centres]
    best = int(np.argmin([upright for _, upright in distances]))
    return centres[best], max(distances[best])


def _turning_distances(offset: Floats, elevation_rad: float, fill: float) -> tuple[float, float]:
    """Return from where offsets (n, 3) from the centre stay within a square picture's width and height while they turn."""
    radius = np.hypot(offset[:, 0], offset[:, 2])
    sine, cosine = np.float32(np.sin(elevation_rad)), np.float32(np.cos(elevation_rad))
    limit = np.float32(fill * np.tan(np.radians(FIELD_OF_VIEW_DEG / 2)))
    # A point turns on a circle: it comes furthest to the side where the ray touches the circle, which is a little in front
    # of its middle, and furthest up or down at the far or near end.
    sideways = radius * np.sqrt(1 / limit**2 + cosine**2) + offset[:, 1] * sine
    near = np.abs(offset[:, 1] * cosine - radius * sine) / limit + offset[:, 1] * sine + radius * cosine
    far = np.abs(offset[:, 1] * cosine + radius * sine) / limit + offset[:, 1] * sine - radius * cosine
    return float(sideways.max()), float(max(near.max(), far.max()))


def slopes(aspect: float) -> Floats:
    """Return the tangents (2,) of the half angles of view, across and up, for a picture of that width by height."""
    shorter = np.tan(np.radians(FIELD_OF_VIEW_DEG / 2))
    return floats([shorter * max(aspect, 1.0), shorter * max(1 / aspect, 1.0)])
