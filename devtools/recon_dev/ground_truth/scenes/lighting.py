"""Lights of a scene, and how much of them reaches each vertex. Colours are linear RGB, float32."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recon_dev.ground_truth.distance_functions import Vector
from recon_dev.ground_truth.shape import Mesh
from recon_worker.rendering.ambient_occlusion import ambient_openness, smooth_over_mesh
from recon_worker.rendering.arrays import Floats, floats, unit_vectors
from recon_worker.rendering.ray_casting import RayCaster

FAR = 60.0
"""How far away the sun is, in the scene's unit: farther than anything that casts shadows."""


class Light(Protocol):
    """A light that has an extent."""

    def sample(self, points: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Return vectors (n, 3) from points (n, 3) to random places of the light, and its radiance there: RGB (n, 3)."""
        ...


@dataclass(frozen=True)
class Sun:
    """A far light."""

    direction: Vector
    """To its middle, of any length."""
    spread: float
    """Standard deviation of its directions, in radians; a soft box is a sun with a large one."""
    colour: Vector

    def sample(self, points: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Return vectors (n, 3) and RGB (n, 3) as `Light` says; the colour is the same everywhere."""
        middle = unit_vectors(floats([self.direction]))
        aims = middle + np.float32(self.spread) * random.standard_normal(points.shape, dtype=np.float32)
        return floats(aims * np.float32(FAR)), floats(np.broadcast_to(floats(self.colour), points.shape))


@dataclass(frozen=True)
class Panel:
    """A flat light within the scene, such as a window or a lamp: a parallelogram."""

    corner: Vector
    along: Vector
    across: Vector
    colour: Vector
    """At a distance of one unit, straight before it."""

    def sample(self, points: Floats, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Return vectors (n, 3) and RGB (n, 3) as `Light` says, weaker with the distance's square and towards its sides."""
        u, v = random.random((2, len(points), 1), dtype=np.float32)
        aims = floats(self.corner) + u * floats(self.along) + v * floats(self.across) - points
        squares = np.maximum(np.einsum("ij,ij->i", aims, aims), np.float32(0.04))
        normal = np.cross(self.along, self.across)
        facing = np.abs(aims @ floats(normal / np.linalg.norm(normal))) / np.sqrt(squares)
        return floats(aims), (facing / squares)[:, None] * floats(self.colour)


@dataclass(frozen=True)
class Lighting:
    """All light of a scene."""

    lights: tuple[Light, ...]
    above: Vector
    """Light from open surroundings on what faces up."""
    below: Vector
    """The same on what faces down: thrown back by the ground."""
    reach: float
    """Surroundings farther than this count as open, in the scene's unit."""
    rays: int = 24
    """From each vertex to each light."""


def bake(lighting: Lighting, caster: RayCaster, mesh: Mesh) -> tuple[Floats, Floats]:
    """Return the light (v, 3) that each vertex sends on where it is white, and its openness (v,), 0 to 1."""
    openness = ambient_openness(caster, mesh.vertices, mesh.normals, reach=lighting.reach, ray_count=lighting.rays)
    openness = smooth_over_mesh(openness, mesh.triangles, 2)
    upward = (np.float32(0.5) + np.float32(0.5) * mesh.normals[:, 2:]) * openness[:, None]
    downward = openness[:, None] - upward
    light = upward * floats(lighting.above) + downward * floats(lighting.below)
    for each in lighting.lights:
        light += _received(each, caster, mesh, lighting)
    return floats(light), openness


def _received(light: Light, caster: RayCaster, mesh: Mesh, lighting: Lighting) -> Floats:
    """Return the light (v, 3) that reaches the vertices from one light."""
    random = np.random.default_rng(1)
    starts = mesh.vertices + mesh.normals * np.float32(2e-3 * lighting.reach)
    total = np.zeros_like(starts)
    for _ in range(lighting.rays):
        aims, colour = light.sample(starts, random)
        cosine = np.maximum(np.einsum("ij,ij->i", unit_vectors(aims), mesh.normals), 0)
        free = (cosine > 0) & ~caster.occluded(starts, aims, 0.999)
        total += (cosine * free)[:, None] * colour
    mean = total / np.float32(lighting.rays)
    return np.stack([smooth_over_mesh(channel, mesh.triangles, 1) for channel in mean.T], axis=1)
