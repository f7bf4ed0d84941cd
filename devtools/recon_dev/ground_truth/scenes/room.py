"""`room`: a furnished room, photographed from within while the camera walks around near its middle. The unit is a metre.

The truth is all of it: floor, walls, ceiling and furniture. The window is a hole in the wall.
"""

import numpy as np

from recon_dev.ground_truth.cameras import TrueCamera, camera_at
from recon_dev.ground_truth.distance_functions import Vector
from recon_dev.ground_truth.scenes import furniture
from recon_dev.ground_truth.scenes.capture import Capture
from recon_dev.ground_truth.scenes.lighting import Lighting, Panel
from recon_dev.ground_truth.scenes.meshes import Box, box, join, panel, turned, wall
from recon_dev.ground_truth.scenes.painters import laid, mottled, plain
from recon_dev.ground_truth.scenes.patterns import CLOTH, EARTH, boards, painting, plaster, printed_cloth
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.scene import Part, Scene
from recon_dev.ground_truth.scenes.textures import make_texture, texture_size
from recon_dev.ground_truth.shape import Mesh
from recon_dev.ground_truth.surface_distance import SurfaceProtocol
from recon_worker.rendering.arrays import Floats, floats

HALF_X, HALF_Y, HEIGHT = 3.0, 2.5, 2.6
WINDOW = (-0.8, 0.95, 0.8, 2.15)
"""In the wall at y = -HALF_Y: left, bottom, right, top."""

CELL = 0.06
"""In which light is baked."""

LIGHTING = Lighting(
    lights=(
        Panel((-0.8, -HALF_Y - 0.05, 0.95), (1.6, 0, 0), (0, 0, 1.2), (3.6, 3.8, 4.1)),
        Panel((-0.25, -0.25, 2.42), (0.5, 0, 0), (0, 0.5, 0), (2.3, 2.05, 1.7)),
    ),
    above=(0.66, 0.64, 0.61),
    below=(0.66, 0.61, 0.55),
    reach=1.2,
)

PALE = ((196, 190, 170), (182, 194, 186), (206, 196, 182), (174, 184, 168), (214, 208, 192))
PASTEL = ((210, 196, 160), (96, 130, 140), (170, 110, 84), (60, 78, 92), (226, 214, 190))

PICTURES: tuple[Box, ...] = (
    ((-2.2, HALF_Y - 0.03, 1.25), (-1.4, HALF_Y, 1.85)),
    ((0.1, HALF_Y - 0.03, 1.35), (0.75, HALF_Y, 2.2)),
    ((1.35, HALF_Y - 0.03, 1.2), (2.4, HALF_Y, 1.9)),
    ((HALF_X - 0.03, -0.55, 1.2), (HALF_X, 0.65, 2.0)),
    ((HALF_X - 0.03, -1.75, 1.35), (HALF_X, -1.15, 1.95)),
    ((-HALF_X, 1.15, 1.3), (-HALF_X + 0.03, 1.95, 1.9)),
    ((1.5, -HALF_Y, 1.3), (2.3, -HALF_Y + 0.03, 1.9)),
)


def build(coarseness: float) -> Scene:
    """Return the furnished room."""
    cell, size = CELL * coarseness, texture_size(4096, coarseness)
    parts = (
        *_shell(cell, size),
        *_pictures(cell, size),
        *_wooden(cell, size),
        *_soft(cell, size),
        *_bookcase(cell, size),
    )
    return Scene(parts, LIGHTING, outside, indoors)


def _shell(cell: float, size: int) -> tuple[Part, ...]:
    """Return floor, ceiling, walls, skirting and lamp."""
    x, y = HALF_X, HALF_Y
    floor = panel((-x, -y, 0), (2 * x, 0, 0), (0, 2 * y, 0), cell)
    ceiling = panel((-x, -y, HEIGHT), (0, 2 * y, 0), (2 * x, 0, 0), cell)
    left = panel((-x, -y, 0), (0, 2 * y, 0), (0, 0, HEIGHT), cell)
    right = panel((x, y, 0), (0, -2 * y, 0), (0, 0, HEIGHT), cell)
    back = wall((-x, x), (0, HEIGHT), (), cell)
    front = turned(wall((-x, x), (0, HEIGHT), (WINDOW,), cell), 180, (0, -y, 0))
    parquet = make_texture(boards(size, 64, ((92, 56, 32), (190, 138, 88)), seed=41), 8.0 / size)
    paper = make_texture(printed_cloth(size // 2, 22, PALE, seed=42), 5.2 / (size // 2))
    paint = make_texture(plaster(size, 0.035, seed=43), 8.0 / size)
    skirting: list[Box] = [
        ((-x, y - 0.015, 0), (x, y, 0.08)),
        ((-x, -y, 0), (x, -y + 0.015, 0.08)),
        ((-x, -y, 0), (-x + 0.015, y, 0.08)),
        ((x - 0.015, -y, 0), (x, y, 0.08)),
    ]
    return (
        Part(floor, laid(parquet, gloss=0.25)),
        Part(ceiling, laid(paint, tint=CEILING)),
        Part(join([left, right]), laid(paint, tint=SIDES)),
        Part(front, laid(paint, tint=FRONT)),
        Part(turned(back, 0, (0, y, 0)), laid(paper)),
        Part(join([box(low, high, cell) for low, high in skirting]), plain((0.6, 0.58, 0.53))),
        Part(box((-0.22, -0.22, 2.45), (0.22, 0.22, HEIGHT), cell), plain((0.9, 0.85, 0.72))),
    )


CEILING, SIDES, FRONT = (0.76, 0.73, 0.66), (0.56, 0.60, 0.52), (0.61, 0.48, 0.34)
"""Linear RGB of the ceiling, of the walls at the sides, and of the wall with the window."""


def _pictures(cell: float, size: int) -> tuple[Part, ...]:
    """Return the pictures with their frames."""
    shown: list[Part] = []
    for number, (low, high) in enumerate(PICTURES):
        colours = (CLOTH, EARTH, PASTEL)[number % 3]
        texture = make_texture(painting(size // 4, colours, seed=50 + number), 1.28 / (size // 4))
        shown.append(Part(box(low, high, cell), laid(texture, gloss=0.2, origin=low)))
    frames = [_frame(low, high, cell) for low, high in PICTURES]
    return (
        *shown,
        Part(join([piece for frame in frames for piece in frame]), mottled((0.16, 0.09, 0.04), 0.1, 20, seed=58)),
    )


def _frame(low: Vector, high: Vector, cell: float) -> list[Mesh]:
    """Return the four bars around a picture that hangs on a wall across x or y."""
    axis = 0 if high[1] - low[1] > high[0] - low[0] else 1
    along = 1 - axis
    bars: list[Mesh] = []
    for start, end, bottom, top in (
        (low[along] - 0.04, low[along], low[2] - 0.04, high[2] + 0.04),
        (high[along], high[along] + 0.04, low[2] - 0.04, high[2] + 0.04),
        (low[along], high[along], low[2] - 0.04, low[2]),
        (low[along], high[along], high[2], high[2] + 0.04),
    ):
        inner, outer = min(low[axis], high[axis]), max(low[axis], high[axis])
        inner, outer = (inner - 0.012, outer) if outer > 0 else (inner, outer + 0.012)
        near, far = (inner, start), (outer, end)
        (x0, y0), (x1, y1) = (near, far) if axis == 0 else (near[::-1], far[::-1])
        bars.append(box((x0, y0, bottom), (x1, y1, top), cell))
    return bars


def _wooden(cell: float, size: int) -> tuple[Part, ...]:
    """Return tables, chairs and the cupboard, with the things that lie on them; and the door."""
    oak = make_texture(boards(size // 2, 8, ((120, 78, 44), (204, 156, 102)), seed=60), 2.4 / (size // 2))
    walnut = make_texture(boards(size // 2, 8, ((58, 34, 22), (132, 88, 56)), seed=61), 2.4 / (size // 2))
    chairs = [
        turned(furniture.chair(cell), *where)
        for where in ((170, (1.75, 1.05, 0)), (80, (1.0, 1.75, 0)), (-35, (-2.3, -1.75, 0)))
    ]
    tables = [
        turned(furniture.table(1.1, 0.8, 0.74, cell), 0, (1.85, 1.8, 0)),
        turned(furniture.table(0.5, 0.5, 0.45, cell), 10, (2.45, -1.75, 0)),
    ]
    low = turned(furniture.cupboard(1.5, 0.42, 0.85, cell), 0, (-1.35, HALF_Y - 0.21, 0))
    door = [
        box((-HALF_X, -1.55, 0), (-HALF_X + 0.04, -0.65, 2.05), cell),
        *(
            box((-HALF_X + 0.04, y, z), (-HALF_X + 0.055, y + 0.33, z + 0.75), cell)
            for y in (-1.48, -1.05)
            for z in (0.15, 1.1)
        ),
    ]
    things: list[Box] = [
        ((1.5, 1.6, 0.74), (1.78, 1.82, 0.79)),
        ((1.53, 1.63, 0.79), (1.76, 1.80, 0.83)),
        ((2.1, 1.9, 0.74), (2.2, 2.0, 0.98)),
        ((-1.9, 2.15, 0.85), (-1.62, 2.4, 1.02)),
        ((-1.1, 2.2, 0.85), (-0.8, 2.35, 1.13)),
        ((2.35, -1.85, 0.45), (2.55, -1.65, 0.72)),
    ]
    cover = make_texture(painting(size // 4, PASTEL, seed=62), 0.6 / (size // 4))
    return (
        Part(join([*chairs, *tables]), laid(oak, gloss=0.2)),
        Part(low, laid(walnut, gloss=0.2)),
        Part(join(door), mottled((0.20, 0.26, 0.30), 0.05, 12, seed=63)),
        Part(join([box(bottom, top, cell) for bottom, top in things]), laid(cover, gloss=0.2)),
    )


def _soft(cell: float, size: int) -> tuple[Part, ...]:
    """Return carpet, sofa with cushions, and curtains."""
    carpet = make_texture(printed_cloth(size // 2, 18, CLOTH, seed=64), 4.4 / (size // 2))
    fabric = make_texture(printed_cloth(size // 4, 14, EARTH, seed=65), 1.0 / (size // 4))
    place = (-90, (HALF_X - 0.44, 0.1, 0))
    folds = [
        box((x, -HALF_Y + 0.02, 0.15), (x + 0.07, -HALF_Y + (0.07, 0.11)[n % 2], 2.35), cell)
        for start in (-1.35, 0.86)
        for n, x in enumerate(np.arange(start, start + 0.48, 0.07))
    ]
    curtain = make_texture(printed_cloth(size // 4, 10, PASTEL, seed=66), 1.3 / (size // 4))
    return (
        Part(box((-2.1, -1.6, 0), (2.1, 1.6, 0.012), cell), laid(carpet, origin=(-2.2, -2.2, 0))),
        Part(turned(furniture.sofa(cell), *place), mottled((0.10, 0.16, 0.17), 0.09, 40, seed=67)),
        Part(turned(furniture.cushions(cell), *place), laid(fabric)),
        Part(join(folds), laid(curtain)),
    )


def _bookcase(cell: float, size: int) -> tuple[Part, Part]:
    """Return a full bookcase on the left wall."""
    bookcase = furniture.Bookcase(1.3, 0.32, (0.08, 0.44, 0.80, 1.16, 1.52, 1.88), seed=70)
    place = (-HALF_X + 0.17, 0.25, 0.0)
    wood = make_texture(boards(size // 2, 8, ((92, 56, 34), (168, 118, 76)), seed=71), 2.4 / (size // 2))
    quarter = floats([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    books = Part(turned(bookcase.books(cell), 90, place), bookcase.paint(quarter.T, place))
    return Part(turned(bookcase.case(cell), 90, place), laid(wood)), books


def outside(directions: Floats) -> Floats:
    """Return what is seen through the window along unit directions (n, 3), linear RGB (n, 3): over-exposed sky and green."""
    height = np.clip(4 * directions[:, 2:] + np.float32(0.5), 0, 1)
    return floats(floats([0.55, 0.70, 0.42]) + height * floats([0.75, 0.65, 1.0]))


def indoors(directions: Floats) -> Floats:
    """Return what glossy things reflect along unit directions (n, 3), linear RGB (n, 3): the window, and dim walls."""
    shine = np.clip(6 * (-directions[:, 1:2] - np.float32(0.75)), 0, 1)
    return floats(np.float32(0.22) + shine * floats([1.5, 1.6, 1.7]))


ROUNDS = ((14, 0.75, 1.50, 6.0, 0.0), (14, 0.95, 1.45, -16.0, 0.5), (12, 0.60, 1.60, -38.0, 0.25))
"""Of each: photos, radius, height of the camera, pitch in degrees (up is positive), and where it begins, in steps."""


def walk(size: tuple[int, int], focal_px: float) -> tuple[TrueCamera, ...]:
    """Return 40 cameras that look outwards, in three rounds; neighbours overlap by two thirds."""
    random = np.random.default_rng(72)
    cameras: list[TrueCamera] = []
    for count, radius, height, pitch_deg, offset in ROUNDS:
        for step in range(count):
            azimuth = 2 * np.pi * (step + offset) / count + random.normal(0, 0.03)
            outward = np.array([np.cos(azimuth), np.sin(azimuth), 0])
            centre = radius * outward + [0, 0, height] + random.normal(0, 0.04, 3)
            down = np.array([0, 0, np.tan(np.radians(pitch_deg))])
            forward = outward + down + random.normal(0, 0.03, 3)
            cameras.append(camera_at(f"{len(cameras):03d}.jpg", centre, centre + forward, size, focal_px))
    return tuple(cameras)


ROOM = SceneSet(
    name="room",
    build=build,
    viewpoints=walk,
    size=(1280, 960),
    capture=Capture(focal_length_mm=20, defocus_px=0.6, motion_px=1.8),
    seed=25,
    # The floor counts as everything else does.
    protocol=SurfaceProtocol(ground_margin_percent=0.0, ground_z=-HEIGHT),
)
