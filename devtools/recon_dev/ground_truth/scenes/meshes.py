"""Meshes of parts: level and upright boxes as they are, organic shapes by marching cubes.

Triangles are counter-clockwise from outside, vertices float32 in the scene's frame and unit. Flat faces are cut into cells, since
light is baked into the vertices and the truth's visibility is counted by them.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from skimage.measure import marching_cubes

from recon_dev.ground_truth.distance_functions import Vector
from recon_dev.ground_truth.shape import Mesh, vertex_normals
from recon_worker.rendering.arrays import Floats, floats

COARSENESS = 4
"""A distance is first computed on a grid this much coarser; only cells near the surface are refined."""

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top."""

Box = tuple[Vector, Vector]
"""Its corners with the least and the greatest x, y and z."""


def panel(corner: Vector, along: Vector, across: Vector, edge: float) -> Mesh:
    """Return a parallelogram from `corner` with sides `along` and `across`, in cells of at most `edge`; it faces along x across."""
    sides = np.array([along, across], dtype=float)
    columns, rows = (max(1, int(np.ceil(np.linalg.norm(side) / edge))) for side in sides)
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    vertices = np.array(corner) + u.reshape(-1, 1) * sides[0] + v.reshape(-1, 1) * sides[1]
    normal = np.cross(*sides)
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).reshape(-1, 1)
    lower = first + np.array([0, 1, columns + 2])
    upper = first + np.array([0, columns + 2, columns + 1])
    triangles = np.concatenate([lower, upper]).astype(np.int32)
    normals = np.broadcast_to(normal / np.linalg.norm(normal), vertices.shape)
    return Mesh(floats(vertices), floats(normals), triangles)


def box(low: Vector, high: Vector, edge: float) -> Mesh:
    """Return a box between two corners, in cells of at most `edge`."""
    (x, y, z), (dx, dy, dz) = low, np.subtract(high, low)
    far = (float(x + dx), float(y + dy), float(z + dz))
    a, b, c = (float(dx), 0.0, 0.0), (0.0, float(dy), 0.0), (0.0, 0.0, float(dz))
    lower = [panel(low, *sides, edge) for sides in ((b, a), (a, c), (c, b))]
    a, b, c = (-float(dx), 0.0, 0.0), (0.0, -float(dy), 0.0), (0.0, 0.0, -float(dz))
    return join([*lower, *(panel(far, *sides, edge) for sides in ((a, b), (c, a), (b, c)))])


def wall(width: tuple[float, float], height: tuple[float, float], openings: Sequence[Rectangle], edge: float) -> Mesh:
    """Return an upright wall in the plane y = 0 that faces -y, with rectangular openings (x and z) cut out."""
    columns = sorted({*width, *(x for left, _, right, _ in openings for x in (left, right))})
    rows = sorted({*height, *(z for _, bottom, _, top in openings for z in (bottom, top))})
    pieces = [
        panel((left, 0, bottom), (right - left, 0, 0), (0, 0, top - bottom), edge)
        for left, right in pairwise(columns)
        for bottom, top in pairwise(rows)
        if not any(o[0] <= left and right <= o[2] and o[1] <= bottom and top <= o[3] for o in openings)
    ]
    return _welded(join(pieces))


def reveal(opening: Rectangle, depth: float, edge: float) -> Mesh:
    """Return the four sides of an opening (x and z) in a wall at y = 0, which go back to y = `depth`."""
    left, bottom, right, top = opening
    width, height = right - left, top - bottom
    return join(
        [
            panel((left, 0, bottom), (0, depth, 0), (0, 0, height), edge),
            panel((right, depth, bottom), (0, -depth, 0), (0, 0, height), edge),
            panel((left, 0, bottom), (width, 0, 0), (0, depth, 0), edge),
            panel((left, depth, top), (width, 0, 0), (0, -depth, 0), edge),
        ]
    )


def _welded(flat: Mesh) -> Mesh:
    """Return a flat mesh whose vertices at the same place are one, so that light changes steadily across its pieces."""
    _, first, same = np.unique(flat.vertices.round(5), axis=0, return_index=True, return_inverse=True)
    return Mesh(flat.vertices[first], flat.normals[first], same.reshape(-1).astype(np.int32)[flat.triangles])


def turned(mesh: Mesh, angle_deg: float, place: Vector) -> Mesh:
    """Return the mesh turned about the z axis, counter-clockwise from above, then moved by `place`."""
    cosine, sine = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    turn = floats([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    return Mesh(mesh.vertices @ turn + floats(place), mesh.normals @ turn, mesh.triangles)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Return several meshes as one."""
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    triangles = [mesh.triangles + np.int32(start) for mesh, start in zip(meshes, starts, strict=False)]
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate(triangles),
    )


def surface_of(distance: Callable[[Floats], Floats], low: Vector, high: Vector, cell: float) -> Mesh:
    """Return the zero set of a distance function, which takes points (n, 3) to (n,), within a box, in cells of a width.

    Lorensen and Cline, "Marching Cubes", SIGGRAPH 1987.
    """
    grid = _distance_grid(distance, floats(low), floats(high), cell)
    vertices, triangles = marching_cubes(grid, 0.0, spacing=(cell,) * 3)[:2]
    placed = floats(vertices + floats(low))
    faces = np.ascontiguousarray(triangles, dtype=np.int32)
    return Mesh(placed, vertex_normals(placed, faces), faces)


def _distance_grid(distance: Callable[[Floats], Floats], low: Floats, high: Floats, cell: float) -> Floats:
    """Return the distance on a grid (i, j, k) from `low` to `high`, (3,) each; far from the surface it is interpolated."""
    coarse_shape = np.ceil((high - low) / (cell * COARSENESS)).astype(int) + 1
    coarse = distance(_grid_points(coarse_shape, cell * COARSENESS) + low).reshape(coarse_shape)
    shape = (coarse_shape - 1) * COARSENESS + 1
    grid: Floats = zoom(coarse, shape / coarse_shape, order=1, grid_mode=False).astype(np.float32)
    near = np.abs(grid) < 1.25 * COARSENESS * cell
    grid[near] = distance(floats(np.argwhere(near) * cell) + low)
    return grid


def _grid_points(shape: NDArray[np.int_], spacing: float) -> Floats:
    """Return the points (n, 3) of a grid of that shape, (3,), from the origin; the last axis runs fastest."""
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    return floats(indices * spacing)
