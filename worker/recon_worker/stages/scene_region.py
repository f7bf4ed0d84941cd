"""What is reconstructed: the object that the photos are taken around, or all of the scene that they show."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.stages.object_region import MARGIN, Region, object_region, trusted_points

LEAST_LOOKING = 0.8
"""Share of the cameras that must stand outside an object and see its middle, where there is one."""

LEAST_HELD = 0.15
"""Share of the trusted sparse points that an object holds, where there is one."""

SCENE_QUANTILE = 0.99
"""Share of the sparse points that a scene holds; the farthest are often wrong."""


class RegionMode(StrEnum):
    """What a job asks to be reconstructed."""

    AUTO = "auto"
    FULL = "full"
    OBJECT = "object"


def region_of(
    mode: RegionMode, cameras: Sequence[PlacedCamera], xyz: npt.NDArray[np.floating], tracks: npt.NDArray[np.int32]
) -> Region:
    """Return where the object is, or all of the scene where `mode` is full, or auto and the photos show no single object.

    `xyz` are sparse points (p, 3) in the world frame and `tracks` their observations (m, 2): point, camera.
    """
    around = object_region(cameras, xyz, tracks)
    trusted = trusted_points(xyz, tracks)
    if mode is RegionMode.OBJECT or (mode is RegionMode.AUTO and _is_object(around, cameras, trusted)):
        return around
    return scene_region(trusted if len(trusted) else np.asarray(xyz, np.float64))


def scene_region(trusted: npt.NDArray[np.float64]) -> Region:
    """Return the ball around all of a scene, from the sparse points (k, 3) of the world frame that can be trusted."""
    low, high = np.quantile(trusted, [1 - SCENE_QUANTILE, SCENE_QUANTILE], axis=0)
    centre = (low + high) / 2
    distances = np.linalg.norm(trusted - centre, axis=1)
    return Region(centre, MARGIN * float(np.quantile(distances, SCENE_QUANTILE)), whole_scene=True)


def _is_object(region: Region, cameras: Sequence[PlacedCamera], trusted: npt.NDArray[np.float64]) -> bool:
    """Say whether most cameras look at a region from outside, and it holds enough of the trusted points (k, 3)."""
    looking = float(np.mean([_looks_at(camera, region) for camera in cameras]))
    held = float(region.contains(trusted).mean()) if len(trusted) else 1.0
    return looking >= LEAST_LOOKING and held >= LEAST_HELD


def _looks_at(camera: PlacedCamera, region: Region) -> bool:
    """Say whether a camera stands outside a region and shows its centre."""
    x, y, z = camera.rotation() @ region.centre + camera.translation()
    if z <= 0 or np.linalg.norm([x, y, z]) <= region.radius:
        return False
    column, row = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
    return bool(0 <= column <= camera.width and 0 <= row <= camera.height)
