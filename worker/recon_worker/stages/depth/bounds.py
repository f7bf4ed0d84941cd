"""Which part of a photo gets a depth map, how large it is, and between which depths the surface is looked for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.stages.object_region import Region

Array = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

LEAST_SIDE_PX = 32

LEAST_POINTS = 12
"""Sparse points with which a photo's range of depths is known."""

DEPTH_QUANTILE = 0.01
"""Share of a photo's sparse points that may be nearer than the nearest depth, and farther than the farthest: those are often wrong."""

DEPTH_MARGIN = 0.25
"""How far the range goes beyond the points, as a share of their inverse depths."""

SCENE_WIDTH = 1.25
"""Longer side of a whole photo's depth map, in those of an object: then both have about as many pixels."""


@dataclass(frozen=True)
class DepthBounds:
    """What of a photo gets a depth map."""

    box: Box
    """Left, top, right, bottom; pixels of the photo."""
    scale: float
    """Pixels of the map for one of the photo, 1 at most."""
    nearest: float
    farthest: float
    """Bounds of depth, in the world's unit."""


def object_bounds(camera: PlacedCamera, region: Region, object_px: int) -> DepthBounds | None:
    """Return the part of a photo that shows an object, so scaled that the object is `object_px` across; None where it shows none."""
    middle = camera.rotation() @ region.centre + camera.translation()
    depth = float(middle[2])
    if depth <= region.radius * 0.2:
        return None
    box = _box_around(camera, middle, region.radius)
    if min(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE_PX:
        return None
    scale = min(1.0, object_px * depth / (2 * region.radius * camera.fx))
    return DepthBounds(box, scale, max(depth - region.radius, 0.05 * depth), depth + region.radius)


def scene_bounds(camera: PlacedCamera, points: npt.NDArray[np.floating], object_px: int) -> DepthBounds | None:
    """Return a whole photo, with the range of depths of the sparse points that it shows; None where those are too few.

    `points` are (k, 3) in the world frame. The photo's longer side is scaled to what costs as much as an object `object_px` across.
    """
    depths = points @ camera.rotation()[2] + camera.translation()[2]
    depths = depths[depths > 0]
    if len(depths) < LEAST_POINTS:
        return None
    nearest, farthest = np.quantile(depths, [DEPTH_QUANTILE, 1 - DEPTH_QUANTILE])
    scale = min(1.0, SCENE_WIDTH * object_px / max(camera.width, camera.height))
    box = (0.0, 0.0, float(camera.width), float(camera.height))
    return DepthBounds(box, scale, float(nearest) / (1 + DEPTH_MARGIN), float(farthest) * (1 + DEPTH_MARGIN))


def _box_around(camera: PlacedCamera, middle: Array, radius: float) -> Box:
    """Return the rectangle that a ball covers in the photo; it is empty, or upside down, where that is beside the photo.

    `middle`, (3,), is the ball's centre in the camera's frame; `radius` is in the world's unit.
    """
    distance = float(np.linalg.norm(middle))
    spread = radius / np.sqrt(max(distance**2 - radius**2, 1e-6 * distance**2))
    u, v = camera.fx * middle[0] / middle[2] + camera.cx, camera.fy * middle[1] / middle[2] + camera.cy
    stretch = 1 + (middle[0] ** 2 + middle[1] ** 2) / middle[2] ** 2
    du, dv = camera.fx * spread * stretch, camera.fy * spread * stretch
    return max(0.0, u - du), max(0.0, v - dv), min(float(camera.width), u + du), min(float(camera.height), v + dv)
