"""Closing a surface to a watertight manifold, as 3D printing needs it: no edge with one or three triangles, no vertex in two sheets.

Holes get a cap. An edge around everything is where the scene ends: there the surface is led down to a flat base.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from recon_worker.geometry.ply import Surface
from recon_worker.tools.mesh_cleaning import keep_faces

Faces = npt.NDArray[np.int32]
Numbers = npt.NDArray[np.int64]

AROUND_SHARE = 0.8
"""The scene ends at an edge that is as wide and as deep as this share of the surface's own width and depth."""

BASE_SHARE = 0.02
"""How far below the lowest point the base is, as a share of the diagonal of the surface's box."""

UP = 1
"""Axis of the world frame that leads up."""


def closed(surface: Surface) -> Surface:
    """Return the surface without holes; +Y is up."""
    manifold = _with_single_sheets(_without_crossed_edges(surface))
    extent = np.ptp(manifold.xyz, axis=0)
    base = float(manifold.xyz[:, UP].min() - BASE_SHARE * np.linalg.norm(extent))
    additions = _Additions(manifold)
    for loop in _loops(manifold.faces):
        xyz, rgb = manifold.xyz[loop], manifold.rgb[loop]
        wide = np.ptp(xyz, axis=0) >= AROUND_SHARE * extent
        if np.delete(wide, UP).all():
            xyz[:, UP] = base
            rim = additions.lead_down(loop, xyz, rgb)
        else:
            rim = loop
        additions.cap(rim, xyz, rgb)
    return additions.whole()


def _without_crossed_edges(surface: Surface) -> Surface:
    """Return the surface without degenerate triangles and those at edges that other than two triangles share in opposite directions."""
    faces = surface.faces
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    while True:
        start, end = _half_edges(faces[distinct])
        count = len(surface.xyz)
        forward = start.astype(np.int64) * count + end
        _, which, often = np.unique(forward, return_inverse=True, return_counts=True)
        # Two triangles that run along an edge in the same direction: more than two meet there, or one is turned over.
        crossed = (often[which] > 1).reshape(3, -1).any(axis=0)
        if not crossed.any():
            return keep_faces(surface, distinct)
        kept = np.flatnonzero(distinct)
        distinct[kept[crossed]] = False


def _with_single_sheets(surface: Surface) -> Surface:
    """Return the surface with a vertex of its own for each fan of triangles that only touch in a point."""
    faces, count = surface.faces, len(surface.xyz)
    start, end = _half_edges(faces)
    corners = np.arange(3 * len(faces)).reshape(3, -1)  # corner k of triangle i is corners[k, i]
    forward = start.astype(np.int64) * count + end
    backward = end.astype(np.int64) * count + start
    order = np.argsort(forward)
    place = np.searchsorted(forward[order], backward).clip(max=len(order) - 1)
    twin = np.where(forward[order][place] == backward, order[place], -1)
    has_twin = twin >= 0
    at_start = corners.ravel()
    at_end = np.roll(corners, -1, axis=0).ravel()
    # Across an edge, the corner where one half-edge starts is that where its twin ends.
    rows, columns = at_start[has_twin], at_end[twin[has_twin]]
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(corners.size, corners.size))
    fan = connected_components(graph, directed=False)[1]
    _, first = np.unique(fan, return_index=True)
    vertex_of_corner = faces.T.ravel()
    taken = vertex_of_corner[first]
    return Surface(
        surface.xyz[taken], surface.normals[taken], surface.rgb[taken], fan.reshape(3, -1).T.astype(np.int32)
    )


def _half_edges(faces: Faces) -> tuple[Faces, Faces]:
    """Return start and end, (3 m,) each, of the sides of triangles (m, 3): all first sides, all second ones, all third ones."""
    return faces.T.ravel(), np.roll(faces, -1, axis=1).T.ravel()


def _loops(faces: Faces) -> Iterator[Numbers]:
    """Yield the edges of triangles, (m, 3), each as the k vertices along it, (k,), in the direction of triangles that close it."""
    start, end = _half_edges(faces)
    count = int(faces.max(initial=0)) + 1
    forward, backward = start.astype(np.int64) * count + end, end.astype(np.int64) * count + start
    open_ones = ~np.isin(backward, forward)
    following = dict(zip(end[open_ones].tolist(), start[open_ones].tolist(), strict=True))
    while following:
        first, vertex = following.popitem()
        loop = [first]
        while vertex != first:
            loop.append(vertex)
            vertex = following.pop(vertex)
        yield np.array(loop)


class _Additions:
    """A surface, and the vertices and triangles that close it."""

    def __init__(self, surface: Surface) -> None:
        self._surface, self._count = surface, len(surface.xyz)
        self._xyz, self._rgb, self._faces = [surface.xyz], [surface.rgb], [surface.faces]

    def lead_down(self, loop: Numbers, xyz: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8]) -> Numbers:
        """Add walls from an edge, (k,), down to as many vertices, (k, 3), and return these, (k,)."""
        below = self._vertices(xyz, rgb)
        following, below_following = np.roll(loop, -1), np.roll(below, -1)
        self._triangles(np.stack([loop, following, below], axis=1))
        self._triangles(np.stack([following, below_following, below], axis=1))
        return below

    def cap(self, loop: Numbers, xyz: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8]) -> None:
        """Close a hole, whose vertices are (k,) in order and lie at (k, 3), by triangles."""
        if len(loop) == 3:
            self._triangles(loop[None])
            return
        middle = self._vertices(xyz.mean(axis=0)[None], rgb.mean(axis=0)[None].astype(np.uint8))
        self._triangles(np.stack([loop, np.roll(loop, -1), np.broadcast_to(middle, loop.shape)], axis=1))

    def whole(self) -> Surface:
        """Return the closed surface. Normals of its new vertices are zero."""
        normals = np.zeros((self._count, 3), np.float32)
        normals[: len(self._surface.normals)] = self._surface.normals
        return Surface(np.concatenate(self._xyz), normals, np.concatenate(self._rgb), np.concatenate(self._faces))

    def _vertices(self, xyz: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8]) -> Numbers:
        """Add vertices at (k, 3) and return their numbers, (k,)."""
        first, self._count = self._count, self._count + len(xyz)
        self._xyz.append(xyz.astype(np.float32))
        self._rgb.append(rgb)
        return np.arange(first, self._count)

    def _triangles(self, faces: Numbers) -> None:
        """Add triangles, (m, 3)."""
        self._faces.append(faces.astype(np.int32))
