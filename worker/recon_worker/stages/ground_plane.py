"""The plane that an object stands on: a floor, a table or the ground.

Found by random samples of three points: Fischler and Bolles, "Random Sample Consensus", Communications of the ACM 24(6), 1981.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MOST_POINTS = 4000
"""Points that are looked at, drawn at random from all."""

SAMPLES = 1500

TOLERANCE = 0.01
"""How far points of the plane may be from it, as a share of the median distance of points from their middle."""

LEAST_SHARE = 0.15
"""Of the points that are on a plane that counts."""

MOST_BELOW = 0.3
"""Of the points that are not on the plane: an object's flat top is no ground."""

SEED = 4


@dataclass(frozen=True)
class Plane:
    """A plane, and how thick it is."""

    normal: Array
    """(3,) unit vector upwards."""
    height: float
    """Of the plane along its normal, in the points' unit."""
    tolerance: float
    """Distance up to which points are on it."""

    def heights(self, xyz: npt.NDArray[np.floating]) -> Array:
        """Return how far points, (n, 3), are above it: (n,)."""
        return np.asarray(xyz @ self.normal - self.height)


def ground_plane(xyz: npt.NDArray[np.floating], up: Array, cone_deg: float) -> Plane | None:
    """Return the plane that most of the points, (n, 3), are on, of those whose normal is within a cone around `up`, (3,).

    None where no plane holds enough of the points, or where too many are below it.
    """
    random = np.random.default_rng(SEED)
    points = np.asarray(xyz, np.float64)
    if len(points) > MOST_POINTS:
        points = points[random.choice(len(points), MOST_POINTS, replace=False)]
    if len(points) < 3:
        return None
    tolerance = TOLERANCE * float(np.median(np.linalg.norm(points - np.median(points, axis=0), axis=1)))
    normals, heights = _sampled_planes(points, up, cone_deg, random)
    best: npt.NDArray[np.bool_] | None = None
    for normal, height in zip(normals, heights, strict=True):
        on = np.abs(points @ normal - height) <= tolerance
        best = on if best is None or on.sum() > best.sum() else best
    if best is None or best.mean() < LEAST_SHARE:
        return None
    plane = _fitted(points[best], up, tolerance)
    others = plane.heights(points[~best])
    return plane if not len(others) or (others < 0).mean() <= MOST_BELOW else None


def _sampled_planes(points: Array, up: Array, cone_deg: float, random: np.random.Generator) -> tuple[Array, Array]:
    """Return unit normals, (k, 3), and heights, (k,), of planes through three of the points, (n, 3), each, within the cone around `up`, (3,)."""
    a, b, c = points[random.integers(0, len(points), (3, SAMPLES))]
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    along = normals @ up
    normals *= np.sign(along)[:, None]
    within = np.abs(along) >= np.cos(np.radians(cone_deg))
    return normals[within], np.einsum("ni,ni->n", normals, a)[within]


def _fitted(points: Array, up: Array, tolerance: float) -> Plane:
    """Return the plane nearest to points, (n, 3), in the least-squares sense, its normal on the side of `up`, (3,)."""
    middle = points.mean(axis=0)
    normal = np.linalg.svd(points - middle, full_matrices=False)[2][2]
    normal = normal * np.sign(normal @ up)
    return Plane(normal, float(normal @ middle), tolerance)
