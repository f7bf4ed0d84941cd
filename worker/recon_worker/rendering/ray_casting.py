"""Casting rays at a triangle mesh with Embree.

Wald et al., "Embree: A Kernel Framework for Efficient CPU Ray Tracing", ACM Transactions on Graphics 33(4), 2014.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from recon_worker.rendering.arrays import Floats, floats


@dataclass(frozen=True)
class Hits:
    """The first surface that each of n rays meets."""

    triangle: NDArray[np.int32]
    """(n,) index of the triangle; -1 where the ray meets none."""
    distance: Floats
    """(n,) distance in lengths of the ray's direction, float32; meaningless where nothing is met."""
    weights: Floats
    """(n, 3) barycentric weights of the triangle's vertices at the point that is met."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(n,) whether the ray meets anything."""
        found: NDArray[np.bool_] = self.triangle >= 0
        return found


MOST_BACKS = 6
"""Backs of triangles that a ray passes through at most on its way to a front."""


class RayCaster:
    """A triangle mesh made ready for rays. About 10 million coherent rays a second on one core."""

    def __init__(self, vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> None:
        """Take vertices (V, 3) and triangles (F, 3) of vertex indices."""
        self._scene = EmbreeScene()
        TriangleMesh(self._scene, floats(vertices), np.ascontiguousarray(triangles, dtype=np.int32))
        self._vertices, self._triangles = vertices, triangles

    @cached_property
    def _normals(self) -> Floats:
        """(F, 3) out of the fronts of the triangles, of any length."""
        a, b, c = (floats(self._vertices)[self._triangles[:, corner]] for corner in range(3))
        return floats(np.cross(b - a, c - a))

    def cast(self, origins: NDArray[np.floating], directions: NDArray[np.floating]) -> Hits:
        """Return what rays from origins (n, 3) along directions (n, 3) of any length meet first."""
        found = self._scene.run(floats(origins), floats(directions), query="INTERSECT", output=1)
        u, v = found["u"], found["v"]
        return Hits(triangle=found["primID"], distance=found["tfar"], weights=np.stack([1 - u - v, u, v], axis=1))

    def cast_at_fronts(self, origins: NDArray[np.floating], directions: NDArray[np.floating]) -> Hits:
        """Return what rays from origins (n, 3) along directions (n, 3) meet first, of triangles whose front they meet.

        So a room is looked into through its nearer walls.
        """
        hits = self.cast(origins, directions)
        for _ in range(MOST_BACKS):
            met = np.flatnonzero(hits.mask)
            backs = met[np.einsum("ni,ni->n", self._normals[hits.triangle[met]], directions[met]) > 0]
            if not len(backs):
                break
            passed = hits.distance[backs] * (1 + 1e-4)
            behind = self.cast(origins[backs] + passed[:, None] * directions[backs], directions[backs])
            hits.triangle[backs], hits.weights[backs] = behind.triangle, behind.weights
            hits.distance[backs] = passed + behind.distance
        return hits

    def occluded(
        self, origins: NDArray[np.floating], directions: NDArray[np.floating], reach: float
    ) -> NDArray[np.bool_]:
        """Return (n,) whether anything lies on the rays within `reach` lengths of their directions."""
        limits = np.full(len(origins), reach, dtype=np.float32)
        found = self._scene.run(floats(origins), floats(directions), dists=limits, query="OCCLUDED")
        hit: NDArray[np.bool_] = found >= 0
        return hit
