"""Where single objects stand: a table with a cover, under a soft key light, before dim surroundings."""

import numpy as np

from recon_dev.ground_truth.cameras import Ring, TrueCamera, cameras_on_rings
from recon_dev.ground_truth.lighting import BOUNCE, KEY, KEY_LIGHT, KEY_LIGHT_SPREAD, SKY, backdrop
from recon_dev.ground_truth.scenes.lighting import Lighting, Sun
from recon_dev.ground_truth.scenes.meshes import box
from recon_dev.ground_truth.scenes.painters import laid
from recon_dev.ground_truth.scenes.photo_set import Viewpoints
from recon_dev.ground_truth.scenes.scene import Painter, Part, Scene
from recon_dev.ground_truth.scenes.textures import make_texture
from recon_dev.ground_truth.shape import Mesh
from recon_worker.rendering.arrays import Floats, floats

GROUND_Z = -0.9
"""Height of the table's top."""
HALF_TABLE = 2.4
"""Half of the table's side."""
THICKNESS = 0.12

LIGHTING = Lighting(
    lights=(Sun(tuple(KEY_LIGHT.tolist()), KEY_LIGHT_SPREAD, tuple((0.85 * KEY).tolist())),),
    above=tuple((0.85 * SKY).tolist()),
    below=tuple((0.85 * BOUNCE).tolist()),
    reach=0.8,
)

SOFT_BOXES = (((0.47, -0.52, 0.71), 0.26, 14.0), ((-0.75, 0.30, 0.45), 0.20, 10.0), ((0.25, 0.86, 0.40), 0.16, 8.0))
"""Of each: the direction to its middle, half its width (a sine), and its radiance."""


def in_studio(thing: Mesh, painter: Painter, cover: Floats, coarseness: float) -> Scene:
    """Return an object on a table with a matt cover (k, k, 3), whose light is baked the coarser, the larger `coarseness` is."""
    parts = (Part(thing, painter), _table(cover, 0.0, 0.03 * coarseness))
    return Scene(parts, LIGHTING, backdrop, soft_boxes)


def _table(picture: Floats, gloss: float, edge: float) -> Part:
    """Return a table covered by a picture (k, k, 3), whose light is baked in cells of `edge`; it is no part of the truth."""
    low, high = (-HALF_TABLE, -HALF_TABLE, GROUND_Z - THICKNESS), (HALF_TABLE, HALF_TABLE, GROUND_Z)
    texture = make_texture(picture, 2 * HALF_TABLE / len(picture))
    return Part(box(low, high, edge), laid(texture, gloss, low), is_truth=False)


def soft_boxes(directions: Floats) -> Floats:
    """Return what a glossy object reflects along unit directions (n, 3), linear RGB (n, 3): square lights in a dim room."""
    colours = np.where(directions[:, 2:] < 0, floats([[0.20, 0.17, 0.14]]), backdrop(directions))
    for middle, half, radiance in SOFT_BOXES:
        forward = floats(middle) / np.float32(np.linalg.norm(middle))
        right = np.cross(forward, [0, 0, 1])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        sideways = np.maximum(np.abs(directions @ floats(right)), np.abs(directions @ floats(up)))
        shine = np.clip((half - sideways) / np.float32(0.04), 0, 1) * (directions @ forward > 0)
        colours = colours + np.float32(radiance) * shine[:, None]
    return floats(colours)


def walk_around(rings: tuple[Ring, ...], seed: int) -> Viewpoints:
    """Return viewpoints on rings around the object."""

    def viewpoints(size: tuple[int, int], focal_px: float) -> tuple[TrueCamera, ...]:
        return cameras_on_rings(rings, size, focal_px, seed)

    return viewpoints
