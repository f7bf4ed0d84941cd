"""A surface as evenly drawn points that remember their triangles, and distances to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from trimesh.triangles import closest_point

Array = NDArray[np.float64]
Indices = NDArray[np.integer]

CANDIDATES = 6
"""Nearest samples and centroids whose triangles are measured."""


@dataclass(frozen=True)
class SampledSurface:
    """Points drawn uniformly by area from a triangle mesh."""

    corners: Array
    """(f, 3, 3) the triangles' corners: triangle, corner, axis; in the frame and unit of the mesh."""
    points: Array
    """(n, 3) in the same."""
    triangle: Indices
    """(n,) the triangle of each point."""

    def distances_from(self, points: Array) -> Array:
        """Return the distance (n,) from points (n, 3) to the surface.

        Exact distances to the triangles near the nearest few samples: not biased by the gaps between the samples, as
        distances to the samples themselves would be. Centroids stand in for triangles that few or no samples fell on.
        """
        anchors = np.concatenate([self.points, self.corners.mean(axis=1)])
        triangle = np.concatenate([self.triangle, np.arange(len(self.corners))])
        _, nearest = cKDTree(anchors).query(points, k=min(CANDIDATES, len(anchors)), workers=-1)
        best = np.full(len(points), np.inf)
        for column in nearest.reshape(len(points), -1).T:
            foot = closest_point(self.corners[triangle[column]], points)
            np.minimum(best, np.linalg.norm(foot - points, axis=1), out=best)
        return best


def sample_surface(vertices: Array, triangles: Indices, count: int, seed: int) -> SampledSurface:
    """Draw `count` points uniformly by area from triangles (f, 3) of vertices (v, 3); the same seed draws the same points.

    Osada et al., "Shape Distributions", ACM Transactions on Graphics 21(4), 2002, section 4.1.
    """
    random = np.random.default_rng(seed)
    corners = np.asarray(vertices, dtype=np.float64)[triangles]
    edges = corners[:, 1:] - corners[:, :1]
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    ends = np.cumsum(areas)
    chosen = np.searchsorted(ends, random.random(count) * ends[-1], side="right").clip(0, len(areas) - 1)
    root, share = np.sqrt(random.random((count, 1))), random.random((count, 1))
    weights = np.stack([1 - root, root * (1 - share), root * share], axis=1)
    return SampledSurface(corners, (weights * corners[chosen]).sum(axis=1), chosen)
