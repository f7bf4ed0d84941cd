"""The object of the demo: a ribbed teapot on a low round pedestal, exactly known as the zero set of a distance function.

Frame: right-handed, z up, the ground at `GROUND_Z`, the pot's spout towards +x, about two units across.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom
from skimage.measure import marching_cubes

from recon_dev.ground_truth.distance_functions import bezier, cylinder, ellipsoid, smooth_union, tube
from recon_worker.rendering.arrays import Floats, floats

GROUND_Z = -0.60
BOUNDS = floats([[-1.05, -0.85, -0.64], [1.11, 0.85, 0.80]])
"""A box around the object, with room on each side."""

COARSENESS = 4
"""The distance is first computed on a grid this much coarser; only cells near the surface are refined."""

SPOUT = bezier(((0.40, 0, -0.12), (0.86, 0, -0.10), (0.66, 0, 0.34), (0.98, 0, 0.42)), 12)
SPOUT_RADII = tuple(np.linspace(0.17, 0.065, 12))
HANDLE = bezier(((-0.40, 0, 0.30), (-1.18, 0, 0.52), (-1.02, 0, -0.34), (-0.42, 0, -0.20)), 13)


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh, counter-clockwise from outside."""

    vertices: Floats
    """(V, 3) in the truth's units."""
    normals: Floats
    """(V, 3) unit vectors out of the surface."""
    triangles: NDArray[np.int32]
    """(F, 3) indices of vertices."""


def make_shape(cells: int) -> Mesh:
    """Return the object's surface by marching cubes, `cells` grid cells along its longest side.

    Lorensen and Cline, "Marching Cubes", SIGGRAPH 1987, in the form of Lewiner et al., "Efficient Implementation of Marching
    Cubes' Cases with Topological Guarantees", Journal of Graphics Tools 8(2), 2003.
    """
    spacing = float((BOUNDS[1] - BOUNDS[0]).max()) / cells
    grid = _distance_grid(spacing)
    found = marching_cubes(grid, 0.0, spacing=(spacing,) * 3)
    vertices, triangles = found[:2]
    placed = (vertices + BOUNDS[0]).astype(np.float32)
    faces = np.ascontiguousarray(triangles, dtype=np.int32)
    return Mesh(placed, vertex_normals(placed, faces), faces)


def distance_to_object(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the teapot and its pedestal."""
    return np.minimum(distance_to_pot(points), distance_to_pedestal(points))


def distance_to_pot(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the teapot alone."""
    body = smooth_union(_body(points), distance_to_spout(points), 0.06)
    body = smooth_union(body, distance_to_handle(points), 0.035)
    return smooth_union(body, distance_to_lid(points), 0.012)


def distance_to_spout(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the spout, with its mouth carved out."""
    mouth = ellipsoid(points, (1.02, 0, 0.455), (0.07, 0.045, 0.07))
    return np.maximum(tube(points, SPOUT, SPOUT_RADII), -mouth)


def distance_to_handle(points: Floats) -> Floats:
    """Return the signed distance (n,) of points (n, 3) to the handle."""
    return tube(points, HANDLE, (0.062,) * len(HANDLE))


def distance_to_lid(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the lid and its knob."""
    cap = ellipsoid(points, (0, 0, 0.385), (0.33, 0.33, 0.155))
    neck = cylinder(points, (0, 0, 0.55), 0.04, 0.06, 0.01)
    knob = ellipsoid(points, (0, 0, 0.645), (0.095, 0.095, 0.085))
    return smooth_union(cap, smooth_union(neck, knob, 0.03), 0.03)


def distance_to_pedestal(points: Floats) -> Floats:
    """Return the signed distance (n,) of points (n, 3) to the two discs of the pedestal."""
    lower = cylinder(points, (0, 0, -0.55), 0.74, 0.05, 0.02)
    upper = cylinder(points, (0, 0, -0.46), 0.64, 0.04, 0.018)
    return smooth_union(lower, upper, 0.015)


def vertex_normals(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Return unit normals (v, 3) of vertices (v, 3): those of the triangles (f, 3) around each, weighted by their areas."""
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(faces[:, axis], 3), len(vertices)) for axis in range(3)], axis=1
    )
    unit: Floats = (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)).astype(np.float32)
    return unit


def _body(points: Floats) -> Floats:
    """Return the signed distance bound (n,) of points (n, 3) to the belly with its slanting ribs, and the ring under it."""
    angle = np.arctan2(points[:, 1], points[:, 0])
    height = points[:, 2]
    fade = np.clip(1 - np.square((height + 0.02) / np.float32(0.40)), 0, 1)
    ribs = np.float32(0.016) * np.cos(16 * angle + 4 * height) * fade
    belly = ellipsoid(points, (0, 0, -0.01), (0.58, 0.58, 0.43)) - ribs
    ring = cylinder(points, (0, 0, -0.39), 0.41, 0.06, 0.02)
    return smooth_union(belly, ring, 0.09)


def _distance_grid(spacing: float) -> Floats:
    """Return the distance on a grid (i, j, k) over `BOUNDS` along x, y, z; far from the surface it is only interpolated."""
    coarse_shape = np.ceil((BOUNDS[1] - BOUNDS[0]) / (spacing * COARSENESS)).astype(int) + 1
    coarse = distance_to_object(_grid_points(coarse_shape, spacing * COARSENESS)).reshape(coarse_shape)
    shape = (coarse_shape - 1) * COARSENESS + 1
    grid: Floats = zoom(coarse, shape / coarse_shape, order=1, grid_mode=False).astype(np.float32)
    near = np.abs(grid) < 1.25 * COARSENESS * spacing
    grid[near] = distance_to_object((np.argwhere(near) * spacing).astype(np.float32) + BOUNDS[0])
    return grid


def _grid_points(shape: NDArray[np.int_], spacing: float) -> Floats:
    """Return the points (n, 3) of a grid of that shape, (3,), over `BOUNDS`, the last axis running fastest."""
    indices = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    return floats(indices * spacing + BOUNDS[0])
