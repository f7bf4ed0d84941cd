"""What the object's surface looks like: glaze on the pot, terracotta on its handle, wood under it, and light on all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recon_dev.ground_truth import shape
from recon_dev.ground_truth.lighting import key_light_share
from recon_dev.ground_truth.noise import Noise
from recon_worker.rendering.ambient_occlusion import ambient_openness, smooth_over_mesh
from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.ray_casting import RayCaster

GLAZE = floats(
    [
        [0.010, 0.030, 0.100],
        [0.020, 0.110, 0.300],
        [0.060, 0.400, 0.430],
        [0.720, 0.640, 0.440],
        [0.640, 0.280, 0.050],
        [0.280, 0.055, 0.020],
    ]
)
"""Linear RGB from the darkest to the last tone of the marbled glaze."""

TERRACOTTA = floats([[0.300, 0.085, 0.030], [0.640, 0.260, 0.110]])
WOOD = floats([[0.110, 0.042, 0.016], [0.420, 0.215, 0.085]])
GOLD = floats([0.750, 0.480, 0.120])


@dataclass(frozen=True)
class Appearance:
    """What shading needs to know at each vertex."""

    albedo: Floats
    """(V, 3) linear RGB."""
    gloss: Floats
    """(V,) strength of the highlight."""
    openness: Floats
    """(V,) share of the sky that is seen."""
    lit: Floats
    """(V,) share of the key light that is seen."""


def make_appearance(mesh: shape.Mesh, seed: int) -> Appearance:
    """Paint the object and find where light reaches it."""
    caster = RayCaster(*with_ground(mesh))
    openness = ambient_openness(caster, mesh.vertices, mesh.normals, reach=0.7, ray_count=12)
    lit = key_light_share(caster, mesh.vertices + mesh.normals * np.float32(2e-3), ray_count=6)
    albedo, gloss = paint(mesh.vertices, Noise(seed))
    return Appearance(
        albedo, gloss, smooth_over_mesh(openness, mesh.triangles, 3), smooth_over_mesh(lit, mesh.triangles, 1)
    )


def with_ground(mesh: shape.Mesh) -> tuple[Floats, NDArray[np.int32]]:
    """Return vertices (v, 3) and triangles (f, 3) of the object and of a large square of ground below it."""
    side, z = 6.0, shape.GROUND_Z
    corners = floats([[-side, -side, z], [side, -side, z], [side, side, z], [-side, side, z]])
    first = len(mesh.vertices)
    ground = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32) + np.int32(first)
    return np.concatenate([mesh.vertices, corners]), np.concatenate([mesh.triangles, ground])


def paint(points: Floats, noise: Noise) -> tuple[Floats, Floats]:
    """Return albedo (n, 3), linear RGB, and gloss (n,) at points (n, 3) of the surface."""
    albedo, gloss = _glaze(points, noise), np.full(len(points), 0.60, dtype=np.float32)
    handle = np.minimum(shape.distance_to_handle(points), _distance_to_knob(points)) < 0.004
    albedo[handle], gloss[handle] = _terracotta(points[handle], noise), 0.20
    rim = np.abs(np.hypot(points[:, 0], points[:, 1]) - 0.335) < 0.016
    rim &= (points[:, 2] > 0.3) & ~handle
    albedo[rim] = GOLD
    pedestal = shape.distance_to_pedestal(points) < shape.distance_to_pot(points)
    albedo[pedestal], gloss[pedestal] = _wood(points[pedestal], noise), 0.14
    grain = np.float32(0.72) + np.float32(0.56) * noise.at(points, 75, 2)
    return np.clip(albedo * grain[:, None], 0, 1), gloss


def _distance_to_knob(points: Floats) -> Floats:
    """Return the signed distance (n,) of points (n, 3) to a ball around the lid's knob."""
    return floats(np.linalg.norm(points - floats([0, 0, 0.645]), axis=1) - 0.10)


def _glaze(points: Floats, noise: Noise) -> Floats:
    """Return a marbled glaze, linear RGB (n, 3), at points (n, 3): tones along contours of a warped noise, with golden veins.

    After Inigo Quilez, "Domain warping" (iquilezles.org/articles/warp).
    """
    warp = np.stack([noise.fractal(points, 2.3, 3, channel) for channel in range(3)], axis=1) - np.float32(0.5)
    warped = points + np.float32(0.85) * warp
    tone = np.clip((noise.fractal(warped, 2.6, 4) - np.float32(0.26)) / np.float32(0.50), 0, 1)
    colours = _ramp(tone, GLAZE)
    vein = np.abs(noise.fractal(warped, 3.4, 3, 1) - np.float32(0.5)) < 0.009
    colours[vein] = GOLD
    speckle = noise.at(points, 44, 0)
    colours[speckle > 0.86] *= np.float32(0.35)
    colours[speckle < 0.10] += np.float32(0.16)
    return colours * (np.float32(0.6) + np.float32(0.8) * noise.fractal(points, 24, 2, 1))[:, None]


def _terracotta(points: Floats, noise: Noise) -> Floats:
    """Return mottled terracotta, linear RGB (n, 3), at points (n, 3)."""
    return _ramp(np.clip(3.4 * noise.fractal(points, 18, 3, 2) - 1.2, 0, 1), TERRACOTTA)


def _wood(points: Floats, noise: Noise) -> Floats:
    """Return wood, linear RGB (n, 3), at points (n, 3).

    It has rings about an axis outside the disc, as in a plank cut from a trunk, and fibres along it.
    """
    bent = points[:, 1] + np.float32(0.22) * noise.fractal(points * floats([0.6, 2, 2]), 2.0, 2)
    rings = np.hypot(bent + np.float32(1.1), points[:, 2] + np.float32(0.9)) * 13
    ring = np.square(rings % 1)
    fibre = noise.at(points * floats([0.12, 1, 1]), 60, 1)
    patches = noise.fractal(points, 7, 3, 0)
    return _ramp(np.clip(1.25 - 0.55 * ring - 0.45 * fibre - 0.7 * (1 - patches), 0, 1), WOOD)


def _ramp(tone: Floats, colours: Floats) -> Floats:
    """Return linear RGB (n, 3) for tones (n,) in 0 to 1 along k evenly spaced colours (k, 3)."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(tone, stops, colours[:, channel]) for channel in range(3)], axis=1).astype(np.float32)
