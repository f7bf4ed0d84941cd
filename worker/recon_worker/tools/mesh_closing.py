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
Floats = npt.NDArray[np.float64]

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
    for loop in list(_loops(manifold.faces)):
        wide = np.ptp(manifold.xyz[loop], axis=0) >= AROUND_SHARE * extent
        if np.delete(wide, UP).all():
            manifold, rim = _led_down(manifold, loop, base)
        else:
            rim = loop
        manifold = _capped(manifold, rim)
    return manifold


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


def _loops(faces: Faces) -> Iterator[npt.NDArray[np.int64]]:
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


def _led_down(surface: Surface, loop: npt.NDArray[np.int64], base: float) -> tuple[Surface, npt.NDArray[np.int64]]:
    """Return the surface with walls from an edge, (k,), down to a height, and the edge there."""
    lower = surface.xyz[loop].copy()
    lower[:, UP] = base
    below = np.arange(len(surface.xyz), len(surface.xyz) + len(loop))
    following, below_following = np.roll(loop, -1), np.roll(below, -1)
    walls = np.concatenate(
        [np.stack([loop, following, below], axis=1), np.stack([following, below_following, below], axis=1)]
    )
    return _extended(surface, lower, surface.rgb[loop], walls), below


def _capped(surface: Surface, loop: npt.NDArray[np.int64]) -> Surface:
    """Return the surface with a hole, whose vertices are (k,) in order, closed by triangles."""
    if len(loop) == 3:
        return _extended(surface, np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), loop[None])
    middle = np.full(len(loop), len(surface.xyz))
    fan = np.stack([loop, np.roll(loop, -1), middle], axis=1)
    return _extended(
        surface, surface.xyz[loop].mean(axis=0)[None], surface.rgb[loop].mean(axis=0).astype(np.uint8)[None], fan
    )


def _extended(
    surface: Surface, xyz: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8], faces: npt.NDArray[np.int64]
) -> Surface:
    """Return the surface with more vertices, (n, 3), and triangles, (m, 3). Normals of the new vertices are zero."""
    return Surface(
        np.concatenate([surface.xyz, xyz.astype(np.float32)]),
        np.concatenate([surface.normals, np.zeros((len(xyz), 3), np.float32)]),
        np.concatenate([surface.rgb, rgb]),
        np.concatenate([surface.faces, faces.astype(np.int32)]),
    )
