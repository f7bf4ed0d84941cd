"""From a lit scene and a camera to a picture: one ray through each pixel's middle, more where edges are."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from recon_dev.ground_truth.cameras import TrueCamera
from recon_dev.ground_truth.scenes.lens import undistorted
from recon_dev.ground_truth.scenes.scene import LitScene, SurfacePoints
from recon_worker.rendering.arrays import Floats, floats, unit_vectors

RAYS_AT_ONCE = 1 << 17
"""So that what belongs to them stays in the processor's cache."""

EDGE_SAMPLES = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))
"""Where edges are sampled within a pixel, from its upper left corner: four corners of a turned square."""

CREASE_COSINE = 0.93
"""Normals of neighbouring pixels that differ by more, 22 degrees, are an edge."""

DEPTH_STEP = 0.02
"""Depths of neighbouring pixels that differ by more than this share of them are an edge."""

REFLECTANCE = 0.05
"""Of glaze and glass, seen straight on (Schlick, "An Inexpensive BRDF Model", Computer Graphics Forum 13(3), 1994)."""


def render(lit: LitScene, camera: TrueCamera, k1: float) -> Floats:
    """Return what the camera sees through a lens with radial distortion `k1` (`lens`), as linear RGB (h, w, 3)."""
    width, height = camera.size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    corners = np.stack([x, y], axis=-1).reshape(-1, 2)
    picture = np.empty((width * height, 3), dtype=np.float32)
    marks = np.empty((width * height, 5), dtype=np.float32)
    for start in range(0, len(corners), RAYS_AT_ONCE):
        some = slice(start, start + RAYS_AT_ONCE)
        picture[some], marks[some] = _look(lit, camera, k1, corners[some] + np.float32(0.5))
    edges = np.flatnonzero(_edges(marks.reshape(height, width, 5)))
    for start in range(0, len(edges), RAYS_AT_ONCE // 4):
        chosen = edges[start : start + RAYS_AT_ONCE // 4]
        samples = [_look(lit, camera, k1, corners[chosen] + floats(place))[0] for place in EDGE_SAMPLES]
        picture[chosen] = np.mean(np.minimum(samples, np.float32(1.5)), axis=0)
    return picture.reshape(height, width, 3)


def rays(camera: TrueCamera, k1: float, places: Floats) -> Floats:
    """Return directions (n, 3) of depth 1 in the world frame through places (n, 2), in pixels from the upper left corner."""
    normalised = (places - floats(camera.K[:2, 2])) / floats([camera.K[0, 0], camera.K[1, 1]])
    x, y = undistorted(normalised, k1).T
    right, down, forward = camera.R.astype(np.float32)
    directions: Floats = x[:, None] * right + y[:, None] * down + forward
    return directions


def _look(lit: LitScene, camera: TrueCamera, k1: float, places: Floats) -> tuple[Floats, Floats]:
    """Return linear RGB (n, 3) at places (n, 2) of the photo, and marks (n, 5) that show edges.

    The marks are: part (-1 for none), depth in the scene's unit, normal.
    """
    directions = rays(camera, k1, places)
    centre = camera.centre.astype(np.float32)
    hits = lit.caster.cast(np.broadcast_to(centre, directions.shape), directions)
    missed = np.flatnonzero(~hits.mask)
    found = np.flatnonzero(hits.mask) if len(missed) else slice(None)
    colours, marks = np.empty_like(directions), np.zeros((len(places), 5), dtype=np.float32)
    if len(missed):
        colours[missed] = lit.scene.surroundings(unit_vectors(directions[missed]))
        marks[missed, 0] = -1
    if len(missed) < len(places):
        distance = hits.distance[found]
        points = centre + distance[:, None] * directions[found]
        pixel = distance / np.float32(camera.K[0, 0])
        triangles, weights = hits.triangle[found], hits.weights[found]
        colours[found], normals = _shade(lit, triangles, weights, points, directions[found], pixel)
        marks[found] = np.concatenate([lit.part[triangles][:, None], distance[:, None], normals], axis=1)
    return colours, marks


def _shade(
    lit: LitScene, triangles: NDArray[np.int32], weights: Floats, points: Floats, directions: Floats, pixel: Floats
) -> tuple[Floats, Floats]:
    """Return linear RGB (n, 3) and normals (n, 3) where rays met triangles (n,).

    Of each: the corners' weights (n, 3), the point (n, 3), the ray's direction (n, 3), and the width (n,) of a pixel there.
    """
    corners = lit.triangles[triangles]
    at = lit.attributes[corners[:, 0]] * weights[:, :1]
    for corner in (1, 2):
        at += lit.attributes[corners[:, corner]] * weights[:, corner, None]
    views, normals = unit_vectors(directions), unit_vectors(at[:, :3])
    cosine = np.einsum("ij,ij->i", views, normals)
    normals = np.where(cosine[:, None] > 0, -normals, normals)
    cosine = np.abs(cosine)
    footprint = pixel / np.sqrt(np.maximum(cosine, np.float32(0.05)))
    colours, gloss = _painted(lit, triangles, SurfacePoints(points, normals, footprint))
    colours *= at[:, 3:6]
    glossy = np.flatnonzero(gloss > 0)
    if len(glossy):
        mirrored = views[glossy] + 2 * cosine[glossy, None] * normals[glossy]
        share = REFLECTANCE + (1 - REFLECTANCE) * (1 - np.minimum(cosine[glossy], 1)) ** 5
        share *= gloss[glossy] * at[glossy, 6]
        colours[glossy] += share[:, None].astype(np.float32) * lit.scene.reflections(mirrored)
    return colours, normals


def _painted(lit: LitScene, triangles: NDArray[np.int32], surface: SurfacePoints) -> tuple[Floats, Floats]:
    """Return albedo (n, 3) and gloss (n,) of the points that rays met on triangles (n,)."""
    part = lit.part[triangles]
    albedo, gloss = np.empty_like(surface.points), np.empty_like(surface.footprint)
    for number in np.unique(part):
        some = np.flatnonzero(part == number)
        of_part = SurfacePoints(surface.points[some], surface.normals[some], surface.footprint[some])
        paint = lit.scene.parts[number].painter(of_part)
        albedo[some], gloss[some] = paint.albedo, paint.gloss
    return albedo, gloss


def _edges(marks: Floats) -> NDArray[np.bool_]:
    """Return which pixels (h, w) lie at an edge, by their marks (h, w, 5): of a part, of depth, or of the normal."""
    edges = np.zeros(marks.shape[:2], dtype=bool)
    part, depth, *normal = np.ascontiguousarray(np.moveaxis(marks, 2, 0))
    for here, there in (((slice(1, None),), (slice(-1),)), ((slice(None), slice(1, None)), (slice(None), slice(-1)))):
        cosine = np.sum([axis[here] * axis[there] for axis in normal], axis=0)
        differ = (part[here] != part[there]) | (cosine < CREASE_COSINE * (part[here] >= 0))
        differ |= np.abs(depth[here] - depth[there]) > DEPTH_STEP * depth[here]
        edges[here] |= differ
    wider: NDArray[np.bool_] = binary_dilation(edges)
    return wider
