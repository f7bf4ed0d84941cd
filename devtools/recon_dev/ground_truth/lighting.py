"""The light of the scene: a warm key light, a sky, and what the ground throws back.

All colours are linear RGB, float32; points and directions are in the truth's frame, right-handed with z up.
"""

import numpy as np

from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.ray_casting import RayCaster

KEY_LIGHT = floats([0.47, -0.52, 0.71]) / np.linalg.norm([0.47, -0.52, 0.71]).astype(np.float32)
"""Direction to the middle of the key light, which is a disc about 17 degrees wide."""
KEY_LIGHT_SPREAD = 0.15

KEY = floats([0.98, 0.92, 0.82])
SKY = floats([0.56, 0.62, 0.72])
BOUNCE = floats([0.30, 0.26, 0.22])
BACKDROP = floats([[0.20, 0.21, 0.23], [0.42, 0.44, 0.47]])
"""The far surroundings, out of focus, from low to high."""
SHININESS = 38.0


def diffuse_light(normals: Floats, openness: Floats, lit: Floats) -> Floats:
    """Return the light (n, 3) that a matt surface with unit normals (n, 3) sends on, before its albedo.

    `openness` and `lit`, (n,) each, are the shares of sky and key light that the surface sees, 0 to 1.
    """
    upward = (np.float32(0.5) + np.float32(0.5) * normals[:, 2])[:, None]
    ambient = (BOUNCE + upward * (SKY - BOUNCE)) * openness[:, None]
    facing = np.maximum(normals @ KEY_LIGHT, 0) * lit
    light: Floats = ambient + facing[:, None] * KEY
    return light


def key_light_share(caster: RayCaster, points: Floats, ray_count: int) -> Floats:
    """Return how much of the key light's disc each point (n, 3) sees: (n,), 0 to 1."""
    random = np.random.default_rng(1)
    share = np.zeros(len(points), dtype=np.float32)
    for _ in range(ray_count):
        aims = KEY_LIGHT + np.float32(KEY_LIGHT_SPREAD) * random.standard_normal(points.shape, dtype=np.float32)
        share += ~caster.occluded(points, aims, 8.0)
    return share / np.float32(ray_count)


def highlight(normals: Floats, to_camera: Floats, lit: Floats) -> Floats:
    """Return the key light's reflection (n,) on a glossy surface, before its gloss.

    Blinn, "Models of Light Reflection for Computer Synthesized Pictures", SIGGRAPH 1977. `normals` and `to_camera` are unit
    vectors (n, 3); `lit` (n,) is the share of the key light that is seen.
    """
    # The unnormalised halfway vector is v + l, so n.h = n.v + n.l and h.h = 2 + 2 v.l.
    cosine = np.einsum("ij,ij->i", normals, to_camera) + normals @ KEY_LIGHT
    length = np.sqrt(np.maximum(2 + 2 * (to_camera @ KEY_LIGHT), np.float32(1e-6)))
    reflection: Floats = np.maximum(cosine / length, 0) ** np.float32(SHININESS) * lit
    return reflection


def backdrop(directions: Floats) -> Floats:
    """Return the far surroundings (n, 3) along unit directions (n, 3)."""
    height = np.clip(directions[:, 2:] * np.float32(2) + np.float32(0.6), 0, 1)
    colours: Floats = BACKDROP[0] + height * (BACKDROP[1] - BACKDROP[0])
    return colours
