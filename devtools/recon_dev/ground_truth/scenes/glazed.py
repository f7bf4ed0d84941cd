"""`glazed`: a china jar with strong highlights, on a wooden table, with automatic exposure and white balance."""

import numpy as np

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.distance_functions import bezier, cylinder, ellipsoid, smooth_union, tube
from recon_dev.ground_truth.noise import Noise
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.meshes import surface_of
from recon_dev.ground_truth.scenes.painters import ramp
from recon_dev.ground_truth.scenes.patterns import boards
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.scene import Paint, Painter, Scene, SurfacePoints
from recon_dev.ground_truth.scenes.studio import GROUND_Z, in_studio, walk_around
from recon_dev.ground_truth.scenes.textures import texture_size
from recon_worker.rendering.arrays import Floats, floats

LOW, HIGH = (-0.80, -1.06, GROUND_Z - 0.03), (0.80, 1.06, 0.98)
"""A box around the jar."""

CHINA = floats([[0.62, 0.63, 0.62], [0.55, 0.58, 0.62], [0.20, 0.30, 0.56], [0.03, 0.07, 0.34], [0.015, 0.03, 0.18]])
"""Linear RGB from bare china to the thickest cobalt."""
GILT = floats([0.55, 0.33, 0.08])

HANDLE = bezier(((0, 0.50, 0.26), (0, 1.10, 0.44), (0, 1.02, -0.28), (0, 0.60, -0.16)), 24)


def distance_to_jar(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to a lobed jar with two handles and a lid."""
    x, y, z = points.T
    angle = np.arctan2(y, x)
    fade = np.clip(1 - np.square((z + 0.10) / 0.60), 0, 1)
    lobes = (0.022 * np.abs(np.cos(5 * angle)) * fade).astype(np.float32)
    belly = ellipsoid(points, (0, 0, -0.12), (0.66, 0.66, 0.60)) - lobes
    foot = cylinder(points, (0, 0, GROUND_Z + 0.09), 0.40, 0.09, 0.025)
    jar = smooth_union(belly, foot, 0.10)
    jar = smooth_union(jar, cylinder(points, (0, 0, 0.46), 0.36, 0.08, 0.02), 0.06)
    mirrored = points * floats([1, -1, 1])
    for side in (points, mirrored):
        jar = smooth_union(jar, tube(side, HANDLE, (0.058,) * len(HANDLE)), 0.04)
    return smooth_union(jar, _lid(points), 0.010)


def _lid(points: Floats) -> Floats:
    """Return the distance bound (n,) of points (n, 3) to a ribbed lid with a bud on it."""
    x, y, z = points.T
    ribs = (0.010 * np.cos(24 * np.arctan2(y, x)) * np.clip(np.hypot(x, y) / 0.2, 0, 1)).astype(np.float32)
    cap = ellipsoid(points, (0, 0, 0.56), (0.40, 0.40, 0.17)) - ribs
    scales = (0.008 * np.cos(50 * z + 5 * np.arctan2(y, x))).astype(np.float32)
    bud = ellipsoid(points, (0, 0, 0.82), (0.095, 0.095, 0.125)) - scales
    return smooth_union(cap, bud, 0.04)


def china(seed: int) -> Painter:
    """Return white china with a brushed pattern in cobalt, gilt bands, and a clear glaze over all."""
    noise = Noise(seed)

    def paint(surface: SurfacePoints) -> Paint:
        """Return the painted and glazed colours (n, 3)."""
        points = surface.points
        radius, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        warp = np.stack([noise.fractal(points, 3.0, 2, channel) for channel in range(3)], axis=1) - np.float32(0.5)
        brush = noise.fractal(points + np.float32(0.5) * warp, 4.2, 4)
        tone = np.clip((brush - 0.50) * 5.5, 0, 1) * (0.75 + 0.5 * noise.at(points, 40, 1))
        line = np.abs(brush - 0.46) < 0.006
        tone = np.where(line, 0.85, tone)
        albedo = ramp(np.clip(tone, 0, 1), CHINA)
        bands = (
            (np.abs(z + 0.70) < 0.022) | (np.abs(z - 0.415) < 0.018) | ((np.abs(radius - 0.395) < 0.012) & (z > 0.5))
        )
        albedo[bands] = GILT
        speckle = noise.at(points, 55, 2) > 0.93
        albedo[speckle] *= np.float32(0.55)
        return Paint(albedo, np.full(len(points), 1.0, dtype=np.float32))

    return paint


def build(coarseness: float) -> Scene:
    """Return the jar on its table."""
    jar = surface_of(distance_to_jar, LOW, HIGH, 0.0065 * coarseness)
    wood = boards(texture_size(4096, coarseness), 16, ((74, 44, 26), (176, 124, 78)), seed=8)
    return in_studio(jar, china(seed=9), wood, coarseness)


GLAZED = SceneSet(
    name="glazed",
    build=build,
    viewpoints=walk_around((Ring(12, 14.0, 4.1), Ring(9, 35.0, 4.0), Ring(5, 57.0, 4.0)), seed=22),
    size=(1440, 1080),
    capture=Capture(focal_length_mm=45, exposure_ev=0.3, white_balance=0.06),
    seed=22,
)
