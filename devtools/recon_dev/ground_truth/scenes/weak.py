"""`weak`: a plaster bust with almost no texture of its own, on a busy cloth."""

import numpy as np

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.distance_functions import cylinder, ellipsoid, smooth_union, tube
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.meshes import surface_of
from recon_dev.ground_truth.scenes.painters import mottled
from recon_dev.ground_truth.scenes.patterns import CLOTH, printed_cloth
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.scene import Scene
from recon_dev.ground_truth.scenes.studio import GROUND_Z, in_studio, walk_around
from recon_dev.ground_truth.scenes.textures import texture_size
from recon_worker.rendering.arrays import Floats

LOW, HIGH = (-0.62, -0.82, GROUND_Z - 0.03), (0.62, 0.82, 1.0)
"""A box around the bust."""

ALBEDO = (0.54, 0.50, 0.44)
VARIATION = 0.03
"""Of the plaster's albedo: its standard deviation, a share of it."""


def distance_to_bust(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the bust, which looks towards +x."""
    body = smooth_union(_shoulders(points), _socle(points), 0.06)
    neck = tube(points, ((-0.02, 0, -0.25), (0.02, 0, 0.25)), (0.20, 0.155))
    body = smooth_union(body, neck, 0.09)
    return smooth_union(body, _head(points), 0.05)


def _socle(points: Floats) -> Floats:
    """Return the distance (n,) of points (n, 3) to the turned foot."""
    plate = cylinder(points, (0, 0, GROUND_Z + 0.06), 0.34, 0.06, 0.015)
    stem = cylinder(points, (0, 0, GROUND_Z + 0.19), 0.17, 0.12, 0.02)
    collar = cylinder(points, (0, 0, GROUND_Z + 0.28), 0.24, 0.035, 0.02)
    return smooth_union(smooth_union(plate, stem, 0.06), collar, 0.03)


def _shoulders(points: Floats) -> Floats:
    """Return the distance bound (n,) of points (n, 3) to chest and shoulders under a cloak with folds."""
    chest = ellipsoid(points, (0.02, 0, -0.36), (0.33, 0.50, 0.28))
    shoulders = ellipsoid(points, (-0.04, 0, -0.24), (0.25, 0.70, 0.19))
    x, y, z = points.T
    # Folds run from the left shoulder down to the right, and fade where the cloak ends.
    across = 0.55 * y + 0.83 * z + 0.16 * np.sin(4.1 * y + 1.3 * x) + 0.06 * np.sin(9 * x)
    fold = (0.5 + 0.5 * np.cos(34 * across)) ** 1.5
    fade = np.clip((-0.08 - z) / 0.12, 0, 1) * np.clip((z + 0.70) / 0.12, 0, 1)
    cloak = smooth_union(chest, shoulders, 0.12) - np.float32(0.030) * (fold * fade).astype(np.float32)
    collar = tube(
        points,
        ((-0.16, -0.16, 0.0), (0.10, -0.22, -0.08), (0.27, -0.05, -0.26), (0.20, 0.22, -0.10), (-0.14, 0.19, 0.0)),
        (0.035, 0.04, 0.045, 0.04, 0.035),
    )
    return smooth_union(cloak, collar, 0.03)


def _head(points: Floats) -> Floats:
    """Return the distance bound (n,) of points (n, 3) to the head with hair, ears and face."""
    skull = ellipsoid(points, (0.0, 0, 0.50), (0.335, 0.265, 0.345))
    jaw = ellipsoid(points, (0.13, 0, 0.30), (0.185, 0.185, 0.20))
    head = smooth_union(skull, jaw, 0.08)
    head = smooth_union(head, _face(points), 0.04)
    for side in (-1, 1):
        socket = ellipsoid(points, (0.345, side * 0.112, 0.475), (0.075, 0.068, 0.045))
        head = -smooth_union(-head, socket, 0.03)
        ball = ellipsoid(points, (0.275, side * 0.110, 0.470), (0.045, 0.055, 0.040))
        head = smooth_union(head, ball, 0.012)
        ear = ellipsoid(points, (0.0, side * 0.262, 0.42), (0.065, 0.032, 0.105))
        head = smooth_union(head, ear, 0.02)
    return smooth_union(head, _hair(points), 0.015)


def _face(points: Floats) -> Floats:
    """Return the distance (n,) of points (n, 3) to nose, brows, lips and chin."""
    nose = tube(points, ((0.315, 0, 0.52), (0.375, 0, 0.43), (0.385, 0, 0.375)), (0.028, 0.036, 0.046))
    face = smooth_union(nose, ellipsoid(points, (0.255, 0, 0.180), (0.06, 0.075, 0.055)), 0.03)
    for side in (-1, 1):
        brow = tube(
            points, ((0.325, side * 0.03, 0.545), (0.31, side * 0.12, 0.56), (0.25, side * 0.19, 0.53)), [0.024] * 3
        )
        wing = ellipsoid(points, (0.345, side * 0.035, 0.365), (0.036, 0.028, 0.026))
        face = smooth_union(smooth_union(face, brow, 0.02), wing, 0.02)
    upper = tube(points, ((0.285, -0.075, 0.275), (0.322, 0, 0.287), (0.285, 0.075, 0.275)), (0.010, 0.020, 0.010))
    lower = tube(points, ((0.282, -0.06, 0.258), (0.318, 0, 0.247), (0.282, 0.06, 0.258)), (0.012, 0.022, 0.012))
    return smooth_union(face, np.minimum(upper, lower), 0.018)


def _hair(points: Floats) -> Floats:
    """Return the distance bound (n,) of points (n, 3) to wavy hair and a bun at the back."""
    x, y, z = points.T
    angle = np.arctan2(z - 0.42, x + 0.35)
    strand = np.cos(46 * (y + 0.10 * np.sin(7 * angle) * (1 + 3 * np.abs(y))) + 3 * np.sin(5 * angle))
    wave = np.float32(0.014) * strand.astype(np.float32)
    cap = ellipsoid(points, (-0.045, 0, 0.545), (0.355, 0.300, 0.345)) - wave
    # The hairline: a tilted plane before which there is no hair.
    cap = np.maximum(cap, (0.80 * x - 0.60 * (z - 0.50) - 0.10).astype(np.float32))
    curl = np.cos(30 * np.hypot(y, z - 0.38) + 4 * np.arctan2(z - 0.38, y))
    bun = ellipsoid(points, (-0.385, 0, 0.38), (0.135, 0.16, 0.15)) - np.float32(0.010) * curl.astype(np.float32)
    return smooth_union(cap, bun, 0.03)


def build(coarseness: float) -> Scene:
    """Return the bust on its table."""
    bust = surface_of(distance_to_bust, LOW, HIGH, 0.0065 * coarseness)
    cloth = printed_cloth(texture_size(4096, coarseness), 26, CLOTH, seed=3)
    return in_studio(bust, mottled(ALBEDO, VARIATION, 30.0, seed=5), cloth, coarseness)


WEAK = SceneSet(
    name="weak",
    build=build,
    viewpoints=walk_around((Ring(12, 12.0, 4.0), Ring(10, 33.0, 3.9), Ring(6, 55.0, 3.9)), seed=21),
    size=(1440, 1080),
    capture=Capture(focal_length_mm=45),
    seed=21,
)
