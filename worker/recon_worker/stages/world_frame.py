"""The frame that a scene is put into: +Y up, the origin where the cameras look, cameras at a distance of about one.

Structure from motion fixes a scene only up to a rotation, a shift and a scale.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

CAMERA_DISTANCE = 3.0
"""Median distance of the cameras from the origin, in units of the world frame."""

LEVEL_RATIO = 0.1
"""Cameras count as held level where the spread of their x axes along the up direction is below this share of the rest."""


@dataclass(frozen=True)
class Placement:
    """Cameras and points of one scene in one frame."""

    rotations: Array
    """(n, 3, 3), proper: from the frame's axes to each camera's (x right, y down, z forward)."""
    translations: Array
    """(n, 3) in the frame's unit: X_camera = R X + t."""
    xyz: Array
    """(p, 3) points."""

    def centres(self) -> Array:
        """Return the centres of projection, (n, 3)."""
        return np.asarray(-np.einsum("nij,ni->nj", self.rotations, self.translations))


def to_world_frame(placement: Placement) -> Placement:
    """Return the same scene with +Y up, the first camera towards +Z, and the origin where the cameras look."""
    up = up_direction(placement.rotations)
    focus = focus_point(placement)
    centres = placement.centres() - focus
    turn = _axes(up, towards=centres[0])
    scale = CAMERA_DISTANCE / max(float(np.median(np.linalg.norm(centres, axis=1))), 1e-12)
    rotations = placement.rotations @ turn.T
    moved = scale * centres @ turn.T
    translations = -np.einsum("nij,nj->ni", rotations, moved)
    return Placement(rotations, translations, scale * (placement.xyz - focus) @ turn.T)


def up_direction(rotations: Array) -> Array:
    """Return the unit vector against gravity, (3,), in the frame that rotations (n, 3, 3) lead from to each camera's.

    A photographer holds the camera level, so the cameras' x axes lie in the horizontal plane: up is the direction in
    which they spread least (as in Szeliski, Computer Vision, 2nd edition, 2022, 8.2, for panoramas), on the side of the
    photos' upper edges. Where the x axes leave that open, it is the mean of the photos' own up directions.
    """
    upwards = -rotations[:, 1].sum(axis=0)
    upwards /= max(float(np.linalg.norm(upwards)), 1e-12)
    spread, directions = np.linalg.eigh(np.einsum("ni,nj->ij", rotations[:, 0], rotations[:, 0]))
    level: Array = directions[:, 0]
    agrees = abs(float(level @ upwards)) > np.cos(np.radians(45.0))
    if spread[0] > LEVEL_RATIO * spread[1] or not agrees:
        return np.asarray(upwards)
    return np.asarray(level * np.sign(level @ upwards))


def focus_point(placement: Placement) -> Array:
    """Return the point nearest to all optical axes in the least-squares sense, (3,); the points' median where that is no use.

    It is of no use where the cameras look in parallel, or where it lies behind most of them. Frame and unit are the
    placement's.
    """
    axes, centres = placement.rotations[:, 2], placement.centres()
    away = np.eye(3) - np.einsum("ni,nj->nij", axes, axes)
    normal = away.sum(axis=0)
    if np.linalg.cond(normal) < 1e3:
        point: Array = np.linalg.solve(normal, np.einsum("nij,nj->i", away, centres))
        in_front = np.einsum("ni,ni->n", axes, point - centres) > 0
        if in_front.mean() > 0.8:
            return point
    return np.median(placement.xyz, axis=0)


def _axes(up: Array, towards: Array) -> Array:
    """Return the rotation (3, 3) that takes `up` (3,) to +Y and `towards` (3,), as far as it is level, to +Z."""
    forward = towards - up * (up @ towards)
    if np.linalg.norm(forward) < 1e-9 * max(float(np.linalg.norm(towards)), 1e-12):
        forward = np.eye(3)[int(np.argmin(np.abs(up)))]
        forward -= up * (up @ forward)
    forward = forward / np.linalg.norm(forward)
    return np.stack([np.cross(up, forward), up, forward])
