"""How open the surroundings of each vertex are: what makes creases and contact areas dark."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recon_worker.rendering.arrays import Floats, unit_vectors
from recon_worker.rendering.ray_casting import RayCaster

POINTS_AT_ONCE = 200_000
"""From which rays are cast between two looks whether the work must stop: a tenth of a second."""


def ambient_openness(
    caster: RayCaster,
    points: Floats,
    normals: Floats,
    *,
    reach: float,
    ray_count: int,
    on_round: Callable[[float], None] = lambda _: None,
) -> Floats:
    """Return (n,) the cosine-weighted share of each point's hemisphere that is free within `reach`.

    Zhukov, Iones and Kronin, "An Ambient Light Illumination Model", Eurographics Workshop on Rendering 1998. Points and unit
    normals are (n, 3) in the caster's frame and unit, as `reach` is. One ray from every point is cast in each of `ray_count`
    rounds, deterministically; `on_round` is told the fraction done, several times a round where there are many points,
    and may raise. The result is noisy: see `smooth_over_mesh`.
    """
    random = np.random.default_rng(0)
    starts = points + normals * np.float32(1e-3 * reach)
    blocked = np.zeros(len(points), dtype=np.float32)
    for index in range(ray_count):
        for start in range(0, len(points), POINTS_AT_ONCE):
            some = slice(start, start + POINTS_AT_ONCE)
            blocked[some] += caster.occluded(starts[some], cosine_directions(normals[some], random), reach)
            on_round((index + min(some.stop / len(points), 1)) / ray_count)
    return 1 - blocked / np.float32(ray_count)


def cosine_directions(normals: Floats, random: np.random.Generator) -> Floats:
    """Return one unit direction (n, 3) about each unit normal (n, 3), distributed by the cosine of their angle.

    A normal plus a uniform point of the unit sphere is so distributed (Shirley, "Ray Tracing in One Weekend", 2016).
    """
    sphere = random.standard_normal(normals.shape, dtype=np.float32)
    return unit_vectors(normals + np.float32(0.999) * unit_vectors(sphere))


def smooth_over_mesh(values: Floats, triangles: NDArray[np.integer], rounds: int) -> Floats:
    """Return values (v,) of the vertices, each `rounds` times replaced by the mean over the triangles (f, 3) around it."""
    corners = np.ascontiguousarray(triangles).ravel()
    uses = np.maximum(np.bincount(corners, minlength=len(values)), 1)
    for _ in range(rounds):
        of_triangles = values[triangles].mean(axis=1)
        sums = np.bincount(corners, np.repeat(of_triangles, 3), len(values))
        values = (sums / uses).astype(np.float32)
    return values
