"""`facade`: the front of a house, photographed from an arc before it. The unit is a metre; the front faces -y at y = 0.

The truth is the house, as far as it is modelled (front, sides, flat roof), with the pavement before it; not the street.
"""

import numpy as np

from recon_dev.ground_truth.cameras import TrueCamera, camera_at
from recon_dev.ground_truth.noise import Noise
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.lighting import Lighting, Sun
from recon_dev.ground_truth.scenes.meshes import Box, Rectangle, box, join, panel, reveal, wall
from recon_dev.ground_truth.scenes.painters import laid, mottled, plain
from recon_dev.ground_truth.scenes.patterns import plaster, stones
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.scene import Part, Scene, Surroundings
from recon_dev.ground_truth.scenes.textures import make_texture, texture_size
from recon_dev.ground_truth.shape import Mesh
from recon_dev.ground_truth.surface_distance import SurfaceProtocol
from recon_worker.rendering.arrays import Floats, floats, unit_vectors

HALF_WIDTH, HEIGHT, DEPTH = 6.0, 7.6, 3.0
PAVEMENT = 2.6
"""How far the pavement reaches before the front."""
RECESS = 0.18
"""How far windows are set back from the wall."""

AXES = (-4.5, -2.35, 0.0, 2.35, 4.5)
"""Middles of the windows."""
WINDOWS: tuple[Rectangle, ...] = (
    *((x - 0.55, 1.15, x + 0.55, 2.80) for x in AXES if x),
    *((x - 0.55, 4.45, x + 0.55, 6.10) for x in AXES if x),
    (-0.60, 3.72, 0.60, 6.10),
)
DOOR: Rectangle = (-0.65, 0.16, 0.65, 2.80)

CELL = 0.06
"""In which light is baked on the front."""

LIGHTING = Lighting(
    lights=(Sun((-0.62, -0.60, 0.72), 0.03, (1.0, 0.90, 0.74)),),
    above=(0.46, 0.50, 0.57),
    below=(0.24, 0.22, 0.19),
    reach=2.0,
)

GREY_STONE = ((128, 122, 112), (150, 142, 128), (108, 104, 98), (166, 156, 140))
PAVING = ((112, 106, 100), (140, 130, 118), (90, 88, 86), (158, 146, 130), (124, 100, 84))


def build(coarseness: float) -> Scene:
    """Return the house in its street."""
    cell = CELL * coarseness
    size = texture_size(4096, coarseness)
    plain_wall = make_texture(plaster(size, 0.035, seed=31), 16.0 / size)
    stone = make_texture(
        stones(size // 2, ((0.02, 900), (0.008, 5000)), GREY_STONE, (120, 114, 104), seed=32), 8.0 / size
    )
    parts = (
        Part(_walls(cell), laid(plain_wall, tint=(0.68, 0.57, 0.38))),
        Part(_stone_parts(cell), laid(stone)),
        Part(_frames(cell), mottled((0.62, 0.60, 0.55), 0.03, 6.0, seed=34)),
        Part(_panes(cell), plain((0.018, 0.022, 0.026), gloss=1.0)),
        Part(_door(cell), mottled((0.05, 0.11, 0.08), 0.06, 5.0, seed=35)),
        Part(_railing(cell), plain((0.035, 0.035, 0.04))),
        *_grounds(cell, size),
    )
    return Scene(parts, LIGHTING, sky(seed=37), street(seed=37))


def _walls(cell: float) -> Mesh:
    """Return the front with its openings, the sides and the roof."""
    front = wall((-HALF_WIDTH, HALF_WIDTH), (0, HEIGHT), (*WINDOWS, DOOR), cell)
    recesses = [reveal(opening, RECESS, cell) for opening in (*WINDOWS, DOOR)]
    left = panel((-HALF_WIDTH, DEPTH, 0), (0, -DEPTH, 0), (0, 0, HEIGHT), 2 * cell)
    right = panel((HALF_WIDTH, 0, 0), (0, DEPTH, 0), (0, 0, HEIGHT), 2 * cell)
    parapet = box((-HALF_WIDTH - 0.02, -0.02, HEIGHT), (HALF_WIDTH + 0.02, DEPTH, HEIGHT + 0.75), 2 * cell)
    return join([front, *recesses, left, right, parapet])


def _stone_parts(cell: float) -> Mesh:
    """Return plinth, sills, lintels, string course, cornice with dentils, balcony and doorstep."""
    wide = HALF_WIDTH
    boxes: list[Box] = [
        ((-wide - 0.06, -0.06, 0), (-0.85, 0, 0.75)),
        ((0.85, -0.06, 0), (wide + 0.06, 0, 0.75)),
        ((-0.95, -0.45, 0), (0.95, RECESS, 0.16)),
        ((-wide - 0.05, -0.08, 3.42), (wide + 0.05, 0, 3.56)),
        ((-wide - 0.35, -0.35, HEIGHT - 0.12), (wide + 0.35, 0.02, HEIGHT + 0.10)),
        ((-1.55, -1.05, 3.56), (1.55, 0, 3.72)),
        *(((x - 0.09, -0.75, 3.05), (x + 0.09, 0, 3.42)) for x in (-1.2, 1.2)),
        *(((x - 0.07, -0.24, HEIGHT - 0.30), (x + 0.07, 0, HEIGHT - 0.12)) for x in np.arange(-5.85, 5.9, 0.45)),
    ]
    for left, bottom, right, top in WINDOWS:
        boxes.append(((left - 0.10, -0.14, bottom - 0.09), (right + 0.10, 0.02, bottom)))
        boxes.append(((left - 0.14, -0.07, top), (right + 0.14, 0, top + 0.22)))
    boxes.append(((DOOR[0] - 0.20, -0.10, DOOR[3]), (DOOR[2] + 0.20, 0, DOOR[3] + 0.25)))
    return join([box(low, high, cell) for low, high in boxes])


def _frames(cell: float) -> Mesh:
    """Return the windows' frames and bars."""
    boxes: list[Mesh] = []
    for left, bottom, right, top in WINDOWS:
        middle, upper = (left + right) / 2, bottom + 0.68 * (top - bottom)
        pieces: list[Rectangle] = [
            (left, bottom, left + 0.06, top),
            (right - 0.06, bottom, right, top),
            (left + 0.06, bottom, right - 0.06, bottom + 0.07),
            (left + 0.06, top - 0.06, right - 0.06, top),
            (middle - 0.035, bottom + 0.07, middle + 0.035, top - 0.06),
            (left + 0.06, upper - 0.03, right - 0.06, upper + 0.03),
        ]
        boxes += [box((a, RECESS - 0.06, b), (c, RECESS, d), cell) for a, b, c, d in pieces]
    return join(boxes)


def _panes(cell: float) -> Mesh:
    """Return the windows' glass, each a little out of plumb as glass is in old houses."""
    random = np.random.default_rng(33)
    panes: list[Mesh] = []
    for left, bottom, right, top in WINDOWS:
        for a, b in ((left, (left + right) / 2), ((left + right) / 2, right)):
            lean, turn = random.normal(0, 0.004, 2)
            corner = (a, RECESS - 0.015, bottom)
            panes.append(panel(corner, (b - a, turn, 0), (0, lean, top - bottom), 2 * cell))
    return join(panes)


def _door(cell: float) -> Mesh:
    """Return the door with its raised panels."""
    left, bottom, right, top = DOOR
    leaf = panel((left, RECESS, bottom), (right - left, 0, 0), (0, 0, top - bottom), cell)
    raised = [
        box((x, RECESS - 0.03, z), (x + 0.44, RECESS, z + height), cell)
        for x in (left + 0.14, right - 0.58)
        for z, height in ((bottom + 0.15, 0.70), (bottom + 1.0, 1.45))
    ]
    return join([leaf, *raised])


def _railing(cell: float) -> Mesh:
    """Return the balcony's railing: thin bars, a hand rail and a foot rail; and the rain pipe."""
    low, high = 3.80, 4.68
    boxes: list[Box] = [
        *(((x - 0.011, -0.99, low), (x + 0.011, -0.968, high)) for x in np.linspace(-1.48, 1.48, 25)),
        *(
            ((x - 0.011, y - 0.011, low), (x + 0.011, y + 0.011, high))
            for x in (-1.48, 1.48)
            for y in (-0.74, -0.49, -0.24)
        ),
        ((-1.51, -1.0, high), (1.51, -0.955, high + 0.045)),
        ((-1.51, -0.995, low - 0.03), (1.51, -0.96, low)),
        *(((x - 0.02, -0.955, z), (x + 0.02, 0, z + 0.04)) for x in (-1.49, 1.49) for z in (low - 0.03, high)),
        *(((x - 0.025, -1.0, 3.72), (x + 0.025, -0.955, low)) for x in (-1.48, 0.0, 1.48)),
        ((5.55, -0.10, 0.75), (5.65, -0.01, HEIGHT - 0.12)),
    ]
    return join([box(bottom, top, cell) for bottom, top in boxes])


def _grounds(cell: float, size: int) -> tuple[Part, Part]:
    """Return the pavement, which belongs to the truth, and the street, which does not."""
    slabs = stones(size, ((0.012, 1800), (0.006, 9000), (0.0025, 20000)), PAVING, (104, 98, 90), seed=36)
    paving = make_texture(slabs, 14.0 / size)
    pavement = panel((-HALF_WIDTH - 1, -PAVEMENT, 0), (2 * HALF_WIDTH + 2, 0, 0), (0, PAVEMENT, 0), cell)
    far = 40.0
    street = [
        panel((-far, -far, 0), (2 * far, 0, 0), (0, far - PAVEMENT, 0), 1.0),
        *(
            panel((x, -PAVEMENT, 0), (far - HALF_WIDTH - 1, 0, 0), (0, PAVEMENT, 0), 1.0)
            for x in (-far, HALF_WIDTH + 1)
        ),
        *(panel((x, 0, 0), (far - HALF_WIDTH, 0, 0), (0, far, 0), 1.0) for x in (-far, HALF_WIDTH)),
    ]
    return Part(pavement, laid(paving)), Part(
        join(street), mottled((0.16, 0.155, 0.15), 0.08, 9.0, seed=38), is_truth=False
    )


def sky(seed: int) -> Surroundings:
    """Return a bright sky with thin clouds, above far trees: from directions (n, 3) to radiance (n, 3)."""
    noise = Noise(seed)

    def look(directions: Floats) -> Floats:
        """Return the sky's radiance (n, 3) along unit directions (n, 3)."""
        height = np.maximum(directions[:, 2:], 0)
        plane = directions / np.maximum(height + np.float32(0.25), np.float32(0.2))
        clouds = np.clip(3.2 * noise.fractal(floats(plane), 1.7, 4) - 1.35, 0, 1)[:, None]
        blue = floats([0.86, 0.98, 1.10]) - height * floats([0.52, 0.36, 0.10])
        colours = blue + clouds * (floats([1.25, 1.25, 1.25]) - blue)
        flat = unit_vectors(directions * floats([1, 1, 0]))
        trees = directions[:, 2] < np.float32(0.22) * noise.fractal(flat, 5.0, 4, 1) - np.float32(0.02)
        leaves = np.float32(0.3) + noise.fractal(directions, 60.0, 2, 2)
        return floats(np.where(trees[:, None], leaves[:, None] * floats([0.10, 0.14, 0.06]), colours))

    return look


def street(seed: int) -> Surroundings:
    """Return what the windows reflect, from directions (n, 3) to radiance (n, 3): the sky above dark houses across the street."""
    above, noise = sky(seed), Noise(seed + 1)

    def look(directions: Floats) -> Floats:
        """Return the radiance (n, 3) along unit directions (n, 3)."""
        azimuth = np.arctan2(directions[:, 0], -directions[:, 1])
        blocks = np.stack([np.floor(azimuth * 7), np.zeros_like(azimuth), np.zeros_like(azimuth)], axis=1)
        roofs = 0.20 + 0.22 * noise.at(floats(blocks), 1.0)
        houses = floats([0.20, 0.17, 0.15]) * (0.4 + 1.2 * noise.fractal(directions, 9.0, 3, 1))[:, None]
        return floats(np.where((directions[:, 2] < roofs)[:, None], houses, above(directions)))

    return look


def arc(size: tuple[int, int], focal_px: float) -> tuple[TrueCamera, ...]:
    """Return 11 cameras at eye height on an arc of 84 degrees before the front."""
    random = np.random.default_rng(39)
    cameras: list[TrueCamera] = []
    for number, angle in enumerate(np.radians(np.linspace(-42, 42, 11))):
        distance = 13.8 + random.normal(0, 0.3)
        centre = np.array([distance * np.sin(angle), -distance * np.cos(angle), 1.65 + random.normal(0, 0.08)])
        target = np.array([0.10 * centre[0], 0.0, 4.0]) + random.normal(0, 0.12, 3)
        cameras.append(camera_at(f"{number:03d}.jpg", centre, target, size, focal_px))
    return tuple(cameras)


FACADE = SceneSet(
    name="facade",
    build=build,
    viewpoints=arc,
    size=(1600, 1200),
    capture=Capture(focal_length_mm=26),
    seed=24,
    # The pavement counts, down to its lowest point. It goes on beyond the truth's box, where a reconstruction of it is right.
    protocol=SurfaceProtocol(crop_margin_percent=1.0, ground_margin_percent=0.0, ground_z=-HEIGHT),
)
