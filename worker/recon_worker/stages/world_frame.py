"""The frame that a scene is put into: +Y up, the origin where the cameras look, cameras at a distance of about one.

Structure from motion fixes a scene only up to a rotation, a shift and a scale.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.stages.ground_plane import ground_plane
from recon_worker.stages.up_direction import are_level, up_direction

Array = npt.NDArray[np.float64]

CAMERA_DISTANCE = 3.0
"""Median distance of the cameras from the origin, in units of the world frame."""

NEARLY_DEG = 8.0
"""How far the ground's normal may be from where cameras that were held level say that up is."""

ANYHOW_DEG = 60.0
"""The same where the cameras say little, for they were not held level."""

MOST_ABOVE = 0.9
"""Share of the cameras that are above the ground: else it is a ceiling."""


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
    up = _up(placement)
    focus = focus_point(placement)
    centres = placement.centres() - focus
    turn = _axes(up, towards=centres[0])
    scale = CAMERA_DISTANCE / max(float(np.median(np.linalg.norm(centres, axis=1))), 1e-12)
    rotations = placement.rotations @ turn.T
    moved = scale * centres @ turn.T
    translations = -np.einsum("nij,nj->ni", rotations, moved)
    return Placement(rotations, translations, scale * (placement.xyz - focus) @ turn.T)


def _up(placement: Placement) -> Array:
    """Return the unit vector, (3,), upwards: at right angles to the ground, where that is seen, else as the cameras were held."""
    up = up_direction(placement.rotations)
    ground = ground_plane(placement.xyz, up, NEARLY_DEG if are_level(placement.rotations, up) else ANYHOW_DEG)
    if ground is None or (ground.heights(placement.centres()) > 0).mean() < MOST_ABOVE:
        return up
    return ground.normal


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
