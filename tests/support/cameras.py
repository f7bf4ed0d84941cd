"""Cameras around an object, for tests of geometry."""

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import PlacedCamera

Array = npt.NDArray[np.float64]

UP = np.array([0.2, -0.5, 0.8]) / np.linalg.norm([0.2, -0.5, 0.8])
"""Up, in the arbitrary frame that structure from motion comes with."""


def looking(centre: Array, target: Array, up: Array, roll_deg: float = 0.0) -> Array:
    """The rotation from world to a camera at `centre` that looks at `target`."""
    z = (target - centre) / np.linalg.norm(target - centre)
    x = np.cross(z, up) / np.linalg.norm(np.cross(z, up))
    y = np.cross(z, x)
    c, s = np.cos(np.radians(roll_deg)), np.sin(np.radians(roll_deg))
    return np.stack([c * x + s * y, c * y - s * x, z])


def ring(count: int, elevation_deg: float, arc_deg: float = 360.0, roll_deg: float = 0.0) -> tuple[Array, Array]:
    """Centres and rotations of cameras on an arc around a target at (5, 6, 7)."""
    east = np.cross(UP, [1.0, 0, 0])
    east /= np.linalg.norm(east)
    north = np.cross(UP, east)
    target = np.array([5.0, 6, 7])
    angles = np.radians(np.arange(count) * arc_deg / count)
    e = np.radians(elevation_deg)
    centres = target + 2 * (
        np.cos(e) * (np.cos(angles)[:, None] * east + np.sin(angles)[:, None] * north) + np.sin(e) * UP
    )
    rolls = roll_deg * np.where(np.arange(count) % 2, 1, -1)
    return centres, np.array([looking(c, target, UP, r) for c, r in zip(centres, rolls, strict=True)])


def placed(rotation: Array, translation: Array, size: tuple[int, int], focal_px: float, name: str = "") -> PlacedCamera:
    """A camera of that size (width, height) whose principal point is the middle; its photo is `images/<name>.png`."""
    width, height = size
    return PlacedCamera(
        name=name,
        file=f"images/{name}.png",
        width=width,
        height=height,
        fx=focal_px,
        fy=focal_px,
        cx=width / 2,
        cy=height / 2,
        R=rotation.tolist(),
        t=tuple(translation.tolist()),
    )
