"""What a camera sees of the scene: the object, supersampled, before the table and the backdrop."""

from dataclasses import dataclass

import numpy as np

from recon_dev.ground_truth import shape
from recon_dev.ground_truth.appearance import Appearance
from recon_dev.ground_truth.cameras import TrueCamera
from recon_dev.ground_truth.ground import RADIUS, Ground
from recon_dev.ground_truth.lighting import backdrop, diffuse_light, highlight
from recon_worker.rendering.arrays import Floats, unit_vectors
from recon_worker.rendering.ray_casting import RayCaster

SAMPLES = ((0.25, 0.25), (0.75, 0.75))
"""Where in each pixel the object is sampled: x and y from its upper left corner."""


@dataclass(frozen=True)
class TruthScene:
    """Everything that a photo shows."""

    caster: RayCaster
    """Of the object alone."""
    mesh: shape.Mesh
    attributes: Floats
    """(V, 9) of each vertex: normal, albedo, gloss, openness, lit."""
    ground: Ground


def make_scene(mesh: shape.Mesh, appearance: Appearance, ground: Ground) -> TruthScene:
    """Bring the parts together."""
    scalars = [appearance.gloss, appearance.openness, appearance.lit]
    attributes = np.concatenate([mesh.normals, appearance.albedo, np.stack(scalars, axis=1)], axis=1)
    return TruthScene(RayCaster(mesh.vertices, mesh.triangles), mesh, attributes.astype(np.float32), ground)


def render(scene: TruthScene, camera: TrueCamera) -> Floats:
    """Return what the camera sees as linear RGB (h, w, 3), float32."""
    width, height = camera.size
    picture = _surroundings(scene, camera).reshape(height, width, 3)
    left, top, right, bottom = _object_box(scene, camera)
    colours, coverage = _object(scene, camera, left, top, right, bottom)
    behind = picture[top:bottom, left:right]
    picture[top:bottom, left:right] = colours + (1 - coverage[..., None]) * behind
    return picture


def pixel_directions(camera: TrueCamera, columns: Floats, rows: Floats) -> Floats:
    """Return the world directions (m * n, 3), row by row, of rays through places in pixels, depth 1 each.

    `columns` (n,) and `rows` (m,) are in pixels from the photo's upper left corner.
    """
    to_world = (camera.R.T @ np.linalg.inv(camera.K)).astype(np.float32)
    along_columns = np.outer(columns, to_world[:, 0])
    along_rows = np.outer(rows, to_world[:, 1]) + to_world[:, 2]
    directions: Floats = (along_rows[:, None, :] + along_columns[None, :, :]).reshape(-1, 3)
    return directions


def _object_box(scene: TruthScene, camera: TrueCamera) -> tuple[int, int, int, int]:
    """Return the pixels (left, top, right, bottom) in which the object can be seen."""
    seen = scene.mesh.vertices[::7] @ camera.R.T.astype(np.float32) + camera.t.astype(np.float32)
    projected = seen @ camera.K.T.astype(np.float32)
    places = projected[:, :2] / projected[:, 2:]
    margin = 4
    left, top = np.maximum(np.floor(places.min(axis=0)).astype(int) - margin, 0)
    right, bottom = np.minimum(np.ceil(places.max(axis=0)).astype(int) + margin, camera.size)
    return int(left), int(top), int(right), int(bottom)


def _object(
    scene: TruthScene, camera: TrueCamera, left: int, top: int, right: int, bottom: int
) -> tuple[Floats, Floats]:
    """Return premultiplied linear RGB (h, w, 3) and coverage (h, w) of the object within a box of pixels."""
    width, height = right - left, bottom - top
    total = np.zeros((height * width, 4), dtype=np.float32)
    for x, y in SAMPLES:
        columns, rows = np.arange(left, right, dtype=np.float32) + x, np.arange(top, bottom, dtype=np.float32) + y
        directions = pixel_directions(camera, columns, rows)
        hits = scene.caster.cast(np.broadcast_to(camera.centre.astype(np.float32), directions.shape), directions)
        found = np.flatnonzero(hits.mask)
        total[found, :3] += _shade(scene, hits.triangle[found], hits.weights[found], directions[found])
        total[found, 3] += 1
    mean = total.reshape(height, width, 4) / np.float32(len(SAMPLES))
    return mean[..., :3], mean[..., 3]


def _shade(scene: TruthScene, triangles: np.ndarray, weights: Floats, directions: Floats) -> Floats:
    """Return linear RGB (n, 3) of the points that rays met.

    Of each ray: the triangle (n,), the barycentric weights (n, 3) of its corners, and the direction (n, 3) in the world frame.
    """
    corners = scene.mesh.triangles[triangles]
    at = sum(scene.attributes[corners[:, corner]] * weights[:, corner, None] for corner in range(3))
    normals = unit_vectors(at[:, :3])
    albedo, gloss, openness, lit = at[:, 3:6], at[:, 6], at[:, 7], at[:, 8]
    colours: Floats = albedo * diffuse_light(normals, openness, lit)
    colours += (gloss * highlight(normals, -unit_vectors(directions), lit))[:, None]
    return colours


def _surroundings(scene: TruthScene, camera: TrueCamera) -> Floats:
    """Return linear RGB (h * w, 3) of the table and of what lies beyond it, row by row."""
    width, height = camera.size
    columns, rows = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    directions = pixel_directions(camera, columns.astype(np.float32), rows.astype(np.float32))
    centre = camera.centre.astype(np.float32)
    distance = (np.float32(shape.GROUND_Z) - centre[2]) / np.minimum(directions[:, 2], np.float32(-1e-4))
    x, y = centre[0] + distance * directions[:, 0], centre[1] + distance * directions[:, 1]
    radius = np.hypot(x, y)
    colours = backdrop(unit_vectors(directions))
    table = np.flatnonzero(radius < RADIUS)
    # The table's edge lies out of focus and out of the light, so that it melts into the backdrop.
    fade = np.clip((RADIUS - radius[table]) / np.float32(0.5), 0, 1)[:, None]
    colours[table] += fade * (scene.ground.at(x[table], y[table]) - colours[table])
    return colours
