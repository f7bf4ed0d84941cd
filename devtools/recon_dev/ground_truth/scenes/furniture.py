"""Furniture of boxes for `room`. The unit is a metre; things stand at the origin on z = 0 and face -y."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recon_dev.ground_truth.distance_functions import Vector
from recon_dev.ground_truth.scenes.meshes import Box, box, join
from recon_dev.ground_truth.scenes.scene import Paint, Painter, SurfacePoints
from recon_dev.ground_truth.shape import Mesh
from recon_worker.rendering.arrays import Floats, floats


def table(width: float, depth: float, height: float, cell: float) -> Mesh:
    """Return a table with four legs."""
    x, y = width / 2, depth / 2
    legs: list[Box] = [
        ((a - 0.03, b - 0.03, 0), (a + 0.03, b + 0.03, height - 0.04))
        for a in (-x + 0.06, x - 0.06)
        for b in (-y + 0.06, y - 0.06)
    ]
    rails: list[Box] = [
        ((-x + 0.06, b - 0.012, height - 0.12), (x - 0.06, b + 0.012, height - 0.04)) for b in (-y + 0.06, y - 0.06)
    ]
    return _boxes([((-x, -y, height - 0.04), (x, y, height)), *legs, *rails], cell)


def chair(cell: float) -> Mesh:
    """Return a plain chair with a slatted back."""
    legs: list[Box] = [
        ((a - 0.018, b - 0.018, 0), (a + 0.018, b + 0.018, 0.44)) for a in (-0.19, 0.19) for b in (-0.19, 0.19)
    ]
    posts: list[Box] = [((a - 0.018, 0.172, 0.48), (a + 0.018, 0.208, 0.92)) for a in (-0.19, 0.19)]
    slats: list[Box] = [((-0.172, 0.18, z), (0.172, 0.20, z + 0.07)) for z in (0.58, 0.70, 0.82)]
    return _boxes([((-0.22, -0.22, 0.44), (0.22, 0.22, 0.48)), *legs, *posts, *slats], cell)


def sofa(cell: float) -> Mesh:
    """Return a sofa for two, without its cushions."""
    return _boxes(
        [
            ((-0.95, -0.42, 0.08), (0.95, 0.42, 0.40)),
            ((-0.95, 0.20, 0.40), (0.95, 0.42, 0.82)),
            ((-0.95, -0.42, 0.40), (-0.77, 0.20, 0.60)),
            ((0.77, -0.42, 0.40), (0.95, 0.20, 0.60)),
            *(((x - 0.03, y - 0.03, 0), (x + 0.03, y + 0.03, 0.08)) for x in (-0.88, 0.88) for y in (-0.35, 0.35)),
        ],
        cell,
    )


def cushions(cell: float) -> Mesh:
    """Return the cushions of the sofa."""
    return _boxes(
        [
            ((-0.76, -0.44, 0.40), (-0.01, 0.19, 0.52)),
            ((0.01, -0.44, 0.40), (0.76, 0.19, 0.52)),
            ((-0.66, 0.04, 0.52), (-0.24, 0.19, 0.86)),
            ((0.28, 0.04, 0.52), (0.70, 0.19, 0.86)),
        ],
        cell,
    )


def cupboard(width: float, depth: float, height: float, cell: float) -> Mesh:
    """Return a cupboard with raised doors and handles."""
    x, y = width / 2, depth / 2
    doors: list[Box] = []
    for left in (-x + 0.03, 0.01):
        right = left + x - 0.04
        doors.append(((left, -y - 0.02, 0.10), (right, -y, height - 0.05)))
        handle = right - 0.06 if left < 0 else left + 0.04
        doors.append(((handle, -y - 0.05, 0.5 * height - 0.08), (handle + 0.02, -y - 0.02, 0.5 * height + 0.08)))
    return _boxes([((-x, -y, 0), (x, y, height)), *doors], cell)


@dataclass(frozen=True)
class Bookcase:
    """Shelves, and books that stand on them."""

    width: float
    depth: float
    shelves: Sequence[float]
    """Height of each shelf's upper side; the last is the top."""
    seed: int

    def case(self, cell: float) -> Mesh:
        """Return sides, back and shelves."""
        x, y, top = self.width / 2, self.depth / 2, self.shelves[-1]
        sides: list[Box] = [((a, -y, 0), (a + 0.02, y, top)) for a in (-x, x - 0.02)]
        back: list[Box] = [((-x + 0.02, y - 0.01, 0), (x - 0.02, y, top))]
        boards: list[Box] = [((-x + 0.02, -y, z - 0.02), (x - 0.02, y - 0.01, z)) for z in self.shelves]
        return _boxes([*sides, *back, *boards], cell)

    def books(self, cell: float) -> Mesh:
        """Return the books, each a box."""
        random = np.random.default_rng(self.seed)
        boxes: list[Box] = []
        for shelf, above in pairwise(self.shelves):
            edges = self._edges()
            for left, right in pairwise(edges):
                height, depth = (above - shelf) * random.uniform(0.55, 0.88), self.depth * random.uniform(0.6, 0.85)
                if random.random() < 0.88:
                    boxes.append(
                        ((left, self.depth / 2 - depth, shelf), (right - 0.002, self.depth / 2 - 0.01, shelf + height))
                    )
        return _boxes(boxes, cell)

    def _edges(self) -> list[float]:
        """Return where books begin and end, the same on all shelves."""
        random = np.random.default_rng(self.seed + 1)
        edges = [-self.width / 2 + 0.03]
        while edges[-1] < self.width / 2 - 0.09:
            edges.append(edges[-1] + random.uniform(0.018, 0.055))
        return edges

    def paint(self, turn: Floats, place: Vector) -> Painter:
        """Return paint for the books of a case that was moved by `place` and turned by `turn` (3, 3), local to world."""
        random = np.random.default_rng(self.seed + 2)
        edges, shelves = np.array(self._edges()), np.array(self.shelves)
        shape = (len(shelves) + 1, len(edges) + 1)
        colours = floats(random.uniform(0.02, 0.5, (*shape, 1)) * random.uniform(0.25, 1.0, (*shape, 3)))
        inks = floats(
            np.where(colours.mean(axis=2, keepdims=True) > 0.2, 0.06, 0.62) * random.uniform(0.5, 1, (*shape, 3))
        )
        letters = random.random((*shape, 64)) < 0.5
        bands = random.uniform(0.15, 0.6, shape)

        def paint(surface: SurfacePoints) -> Paint:
            """Return the colours (n, 3) of spines with bands and lettering."""
            local = (surface.points - floats(place)) @ turn
            row, book = np.searchsorted(shelves, local[:, 2]), np.searchsorted(edges, local[:, 0])
            start = shelves[np.maximum(row - 1, 0)]
            height = (local[:, 2] - start) / 0.30
            middle = np.abs(local[:, 0] - (edges[np.minimum(book, len(edges) - 1)] + edges[book - 1]) / 2)
            letter = letters[row, book, np.clip(height * 64, 0, 63).astype(int)] & (middle < 0.007)
            letter &= (height > 0.2) & (height < 0.6)
            band = np.abs(height - bands[row, book]) < 0.015
            albedo = np.where((letter | band)[:, None], inks[row, book], colours[row, book])
            return Paint(floats(albedo), np.full(len(albedo), 0.15, dtype=np.float32))

        return paint


def _boxes(boxes: Sequence[Box], cell: float) -> Mesh:
    return join([box(low, high, cell) for low, high in boxes])
