"""`thin`: a wooden chair of thin rods on a tiled terrace, through a lens that distorts, with varying exposure and white balance."""

import numpy as np

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.distance_functions import Vector, bezier, smooth_union, tube
from recon_dev.ground_truth.noise import Noise
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.meshes import surface_of
from recon_dev.ground_truth.scenes.painters import ramp
from recon_dev.ground_truth.scenes.patterns import EARTH, stones
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.scene import Paint, Painter, Scene, SurfacePoints
from recon_dev.ground_truth.scenes.studio import GROUND_Z, in_studio, walk_around
from recon_dev.ground_truth.scenes.textures import texture_size
from recon_worker.rendering.arrays import Floats, floats

LOW, HIGH = (-0.76, -0.60, GROUND_Z - 0.03), (0.60, 0.60, 0.96)
"""A box around the chair."""

SEAT_Z = -0.10
SPINDLES = 7
SPINDLE_RADIUS = 0.014
"""The thinnest rods: 1.2 % of the chair's diagonal across."""

WOOD = floats([[0.075, 0.026, 0.010], [0.21, 0.085, 0.032], [0.40, 0.19, 0.075]])

LEGS: tuple[tuple[Vector, Vector], ...] = tuple(
    ((0.29 * x - 0.02, 0.29 * y, SEAT_Z), (0.43 * x - 0.02, 0.42 * y, GROUND_Z)) for x in (-1, 1) for y in (-1, 1)
)
"""Top and foot of each leg: back right, back left, front right, front left."""

BOW = bezier(((-0.26, -0.31, SEAT_Z), (-0.72, -0.66, 1.18), (-0.72, 0.66, 1.18), (-0.26, 0.31, SEAT_Z)), 26)
"""The bent rod that frames the back."""


def distance_to_chair(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the chair, whose front is towards +x."""
    chair = _seat(points)
    for top, foot in LEGS:
        chair = smooth_union(chair, tube(points, _turned_leg(top, foot), (0.022, 0.030, 0.024, 0.031, 0.019)), 0.010)
    chair = smooth_union(chair, _stretchers(points), 0.008)
    chair = smooth_union(chair, tube(points, BOW, [0.024] * len(BOW)), 0.010)
    for foot, top in _spindles():
        chair = smooth_union(chair, tube(points, (foot, top), (SPINDLE_RADIUS + 0.003, SPINDLE_RADIUS)), 0.006)
    return chair


def _turned_leg(top: Vector, foot: Vector) -> list[Vector]:
    """Return places along a leg at which its thickness changes."""
    return [_between(top, foot, share) for share in (0.0, 0.25, 0.45, 0.65, 1.0)]


def _between(first: Vector, second: Vector, share: float) -> Vector:
    x, y, z = np.array(first) + share * np.subtract(second, first)
    return float(x), float(y), float(z)


def _seat(points: Floats) -> Floats:
    """Return the distance bound (n,) of points (n, 3) to a round seat with a hollow on top."""
    x, y, z = points.T
    radius = np.hypot(x / 1.0, y / 1.08)
    hollow = (0.022 * np.clip(1 - np.square(radius / 0.36), 0, 1)).astype(np.float32)
    outward = radius - np.float32(0.44 - 0.02)
    upward = np.maximum(z - np.float32(SEAT_Z + 0.032) + hollow, np.float32(SEAT_Z - 0.032) - z) + np.float32(0.02)
    outside = np.hypot(np.maximum(outward, 0), np.maximum(upward, 0))
    distance: Floats = np.minimum(np.maximum(outward, upward), 0) + outside - np.float32(0.02)
    return distance


def _stretchers(points: Floats) -> Floats:
    """Return the distance (n,) of points (n, 3) to the bars between the legs: one on each side, and one across."""
    back_right, back_left, front_right, front_left = (_between(top, foot, 0.62) for top, foot in LEGS)
    bars = (
        (back_right, front_right),
        (back_left, front_left),
        (_between(back_right, front_right, 0.5), _between(back_left, front_left, 0.5)),
    )
    distances = [tube(points, (start, _between(start, end, 0.5), end), (0.015, 0.021, 0.015)) for start, end in bars]
    nearest: Floats = np.minimum.reduce(distances)
    return nearest


def _spindles() -> list[tuple[Vector, Vector]]:
    """Return foot and top of each spindle of the back; the top lies on the bow."""
    shares = np.linspace(-1, 1, SPINDLES)
    bow = np.array(BOW)
    found: list[tuple[Vector, Vector]] = []
    for share in shares:
        y = 0.36 * share
        x, z = _on_bow(bow, y)
        found.append(((-0.38 + 0.08 * share**2, 0.24 * share, SEAT_Z), (x, float(y), z)))
    return found


def _on_bow(bow: np.ndarray, y: float) -> tuple[float, float]:
    """Return x and z of the bow's upper part, given its points (n, 3), at a place across the chair."""
    upper = bow[bow[:, 2] > 0.45]
    upper = upper[np.argsort(upper[:, 1])]
    return float(np.interp(y, upper[:, 1], upper[:, 0])), float(np.interp(y, upper[:, 1], upper[:, 2]))


def wood(seed: int) -> Painter:
    """Return brown wood with fibres, which run upwards but along the seat, knots and worn places."""
    noise = Noise(seed)

    def paint(surface: SurfacePoints) -> Paint:
        """Return the wood's colours (n, 3)."""
        points = surface.points
        seat = (np.abs(points[:, 2] - SEAT_Z) < 0.05)[:, None]
        along = points * np.where(seat, floats([[0.10, 1, 1]]), floats([[1, 1, 0.10]]))
        fibre = noise.fractal(along, 80, 2, 1)
        rings = np.square((9 * noise.fractal(along, 2.2, 2)) % 1)
        patches = noise.fractal(points, 11, 3, 2)
        tone = 1.45 * patches + 1.05 * fibre - 0.40 * rings - 0.55
        return Paint(ramp(np.clip(tone, 0, 1), WOOD), np.full(len(points), 0.25, dtype=np.float32))

    return paint


def build(coarseness: float) -> Scene:
    """Return the chair on its terrace."""
    chair = surface_of(distance_to_chair, LOW, HIGH, 0.0055 * max(1.0, 0.45 * coarseness))
    size = texture_size(4096, coarseness)
    terrace = stones(size, ((0.034, 500), (0.016, 700), (0.005, 5000), (0.0025, 9000)), EARTH, (150, 140, 126), seed=12)
    return in_studio(chair, wood(seed=13), terrace, coarseness)


THIN = SceneSet(
    name="thin",
    build=build,
    viewpoints=walk_around((Ring(12, 12.0, 4.1), Ring(11, 32.0, 4.1), Ring(7, 54.0, 4.1)), seed=23),
    size=(1440, 1080),
    capture=Capture(focal_length_mm=45, k1=-0.08, exposure_ev=0.3, white_balance=0.06),
    seed=23,
)
