"""Where the object is: the ball that the cameras look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import PlacedCamera

Array = npt.NDArray[np.float64]

LEAST_VIEWS = 3
"""Only sparse points seen by so many cameras say where the object is; the others are often wrong."""

FRAME_SHARE = 1.05
"""The ball may reach a little beyond what the longer side of a typical photo shows."""

POINT_QUANTILE = 0.99
"""Share of the places of sparse points that the ball holds where they, not the frames, bound it."""

PLACES = 20
"""A place is a cell of a grid with so many in the radius that the frames allow; a cloth of many points is not worth more than a head."""

MARGIN = 1.15
"""Sparse points rarely lie at the very edge of the object."""


@dataclass(frozen=True)
class Region:
    """A ball in world coordinates."""

    centre: Array
    """(3,) in the world frame."""
    radius: float
    whole_scene: bool = False
    """Whether it is all that the photos show, and not the object that they are taken around."""

    def contains(self, xyz: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
        """Say which points (n, 3) of the world frame lie in it: (n,)."""
        inside: npt.NDArray[np.bool_] = np.linalg.norm(xyz - self.centre, axis=1) <= self.radius
        return inside


def object_region(
    cameras: Sequence[PlacedCamera], xyz: npt.NDArray[np.floating], tracks: npt.NDArray[np.int32]
) -> Region:
    """Return the ball around the world's origin side of the scene that most photos show.

    `xyz` are sparse points (p, 3) in the world frame and `tracks` their observations (m, 2): point, camera.
    """
    focus = np.zeros(3)
    limit = FRAME_SHARE * float(np.median([_half_extent(camera, focus) for camera in cameras]))
    trusted = trusted_points(xyz, tracks)
    near = trusted[np.linalg.norm(trusted - focus, axis=1) <= limit]
    if len(near) < 20:
        return Region(focus, limit)
    places = _one_in_each_cell(near, limit / PLACES)
    low, high = np.quantile(places, [1 - POINT_QUANTILE, POINT_QUANTILE], axis=0)
    centre = (low + high) / 2
    radius = MARGIN * float(np.quantile(np.linalg.norm(places - centre, axis=1), POINT_QUANTILE))
    return Region(centre, min(radius, limit))


def _one_in_each_cell(points: Array, side: float) -> Array:
    """Return the first of the points (n, 3) in each cell of a grid of that side, (m, 3)."""
    cells = np.floor(points / side).astype(np.int64)
    return points[np.unique(cells, axis=0, return_index=True)[1]]


def trusted_points(xyz: npt.NDArray[np.floating], tracks: npt.NDArray[np.int32]) -> Array:
    """Return the sparse points, (k, 3) of (p, 3), that enough cameras see by their observations (m, 2): point, camera."""
    return np.asarray(xyz[are_trusted(len(xyz), tracks)], np.float64)


def are_trusted(count: int, tracks: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Say which of `count` (p) sparse points enough cameras see by their observations (m, 2): point, camera. Returns (p,)."""
    enough: npt.NDArray[np.bool_] = np.bincount(tracks[:, 0], minlength=count) >= LEAST_VIEWS
    return enough


def _half_extent(camera: PlacedCamera, point: Array) -> float:
    """Return half the length that the photo's longer side shows at the distance of a point (3,) of the world frame."""
    distance = float(np.linalg.norm(camera.centre() - point))
    return distance * max(camera.width / camera.fx, camera.height / camera.fy) / 2
