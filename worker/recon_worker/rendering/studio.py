"""What surrounds the object in a picture: an evenly lit backdrop, and the object's soft shadow on the floor under it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recon_worker.rendering.ambient_occlusion import cosine_directions
from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.model import Model

CENTRE, EDGE = floats([0.955, 0.958, 0.963]), floats([0.800, 0.812, 0.832])
"""Display values of the backdrop behind the object and in the corners."""

CELLS = 72
"""Of the shadow's map along each side."""

SHADOW_RAYS = 48
SHADOW_DEPTH = 0.6
"""How dark the floor is where the object covers the whole sky."""

LEAST_SHADOW = 0.05
"""Covered shares of the sky below this leave no shadow: few rays tell them from noise."""


@dataclass(frozen=True)
class Floor:
    """The level floor that the object touches, and how much of the sky each place of it sees."""

    height: float
    """y of the floor."""
    corner: Floats
    """(2,) x and z of the map's first corner."""
    side: float
    """Length of the map's sides."""
    openness: Floats
    """(CELLS, CELLS) rows along z, columns along x; 1 along the border."""

    def at(self, x: Floats, z: Floats) -> Floats:
        """Return the openness (n,) at `x` and `z`, (n,) each in the world frame, bilinearly; 1 outside the map."""
        column = np.clip((x - self.corner[0]) / np.float32(self.side) * CELLS - np.float32(0.5), 0, CELLS - 1.001)
        row = np.clip((z - self.corner[1]) / np.float32(self.side) * CELLS - np.float32(0.5), 0, CELLS - 1.001)
        left, top = column.astype(np.int32), row.astype(np.int32)
        right, down = column - left, row - top
        flat, index = self.openness.ravel(), top * CELLS + left
        upper = flat[index] + right * (flat[index + 1] - flat[index])
        lower = flat[index + CELLS] + right * (flat[index + CELLS + 1] - flat[index + CELLS])
        openness: Floats = upper + down * (lower - upper)
        return openness


def lay_floor(model: Model, check: Callable[[], None] = lambda: None) -> Floor:
    """Return the floor under the lowest parts of the model, with the shadow on it; `check` may end the work by raising."""
    height = float(np.quantile(model.vertices[:, 1], 0.002)) - 1e-3 * model.diagonal
    low, high = model.vertices.min(axis=0), model.vertices.max(axis=0)
    side = 1.7 * float(max(high[0] - low[0], high[2] - low[2]))
    corner = (low + high)[[0, 2]] / 2 - side / 2
    axis = (np.arange(CELLS) + 0.5) / CELLS * side
    x, z = np.meshgrid(corner[0] + axis, corner[1] + axis)
    points = np.stack([x, np.full_like(x, height), z], axis=-1).reshape(-1, 3).astype(np.float32)
    openness = _openness(model, points, check).reshape(CELLS, CELLS)
    return Floor(height, corner.astype(np.float32), side, _faded(_blurred(openness)))


def backdrop(width: int, height: int) -> Floats:
    """Return display values (h, w, 3): light behind the object, a little darker towards the corners."""
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    away = np.clip(np.square(x) * 0.5 + np.square(y - 0.1) * 0.5, 0, 1)[..., None].astype(np.float32)
    shade: Floats = CENTRE + away * (EDGE - CENTRE)
    return shade


def _openness(model: Model, points: Floats, check: Callable[[], None]) -> Floats:
    """Return the share of the sky (n,) that points of the floor, (n, 3) in the world frame, see past the object."""
    random = np.random.default_rng(0)
    upward = np.broadcast_to(floats([0, 1, 0]), points.shape)
    blocked = np.zeros(len(points), dtype=np.float32)
    for _ in range(SHADOW_RAYS):
        check()
        blocked += model.caster.occluded(points, cosine_directions(upward, random), 0.3 * model.diagonal)
    covered = np.maximum(blocked / np.float32(SHADOW_RAYS) - np.float32(LEAST_SHADOW), 0)
    return floats(1 - covered / (1 - LEAST_SHADOW))


def _blurred(values: Floats) -> Floats:
    """Return the map, (h, w), with the noise of its few rays smoothed away."""
    for _ in range(3):
        padded = np.pad(values, 1, mode="edge")
        rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
        values = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) / np.float32(16)
    return values


def _faded(openness: Floats) -> Floats:
    """Return the map, (CELLS, CELLS), with no shadow left at its border, so that the border does not show."""
    ramp = np.clip(8 * (0.5 - np.abs((np.arange(CELLS) + 0.5) / CELLS - 0.5)), 0, 1).astype(np.float32)
    return 1 - (1 - openness) * ramp[:, None] * ramp[None, :]
