"""The round table on which the object stands: terrazzo, in the light and the shadow that the object leaves on it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from recon_dev.ground_truth import shape
from recon_dev.ground_truth.lighting import diffuse_light, key_light_share
from recon_worker.rendering.ambient_occlusion import ambient_openness
from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.ray_casting import RayCaster

RADIUS = 2.6
"""Of the table, in the truth's units."""

TEXELS_PER_LIGHT_CELL = 8
"""Light changes slowly: its map may be this much coarser than the picture."""

STONES = ((0.085, 260), (0.045, 1300), (0.02, 5000), (0.009, 9000))
"""Radius in the truth's units, and how many."""

CHIPS = ((62, 58, 55), (150, 92, 66), (196, 170, 140), (96, 112, 104), (122, 116, 118), (226, 214, 196), (58, 74, 92))
"""sRGB of the stones in the terrazzo."""
BINDER = (186, 178, 168)


@dataclass(frozen=True)
class Ground:
    """A lit picture of the table, seen from above."""

    radiance: Floats
    """(k, k, 3) linear RGB; rows along y, columns along x, over the square around the table."""

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return linear RGB (n, 3) at `x` and `y` (n,) of the truth's frame on the table, bilinearly."""
        cells = len(self.radiance)
        column = np.clip((x / np.float32(2 * RADIUS) + np.float32(0.5)) * cells - np.float32(0.5), 0, cells - 1.001)
        row = np.clip((y / np.float32(2 * RADIUS) + np.float32(0.5)) * cells - np.float32(0.5), 0, cells - 1.001)
        left, top = column.astype(np.int32), row.astype(np.int32)
        right, down = (column - left)[:, None], (row - top)[:, None]
        flat, index = self.radiance.reshape(-1, 3), top * cells + left
        upper = flat[index] + right * (flat[index + 1] - flat[index])
        lower = flat[index + cells] + right * (flat[index + cells + 1] - flat[index + cells])
        colours: Floats = upper + down * (lower - upper)
        return colours


def make_ground(mesh: shape.Mesh, cells: int, seed: int) -> Ground:
    """Lay the table, `cells` texels along each side, and light it."""
    light = Image.fromarray(np.uint8(255 * _light_map(mesh, cells // TEXELS_PER_LIGHT_CELL) / _FULL_LIGHT.max() + 0.5))
    light = light.filter(ImageFilter.GaussianBlur(1.5)).resize((cells, cells), Image.Resampling.BICUBIC)
    terrazzo = np.asarray(_terrazzo(cells, seed), dtype=np.float32) / 255
    lit = np.asarray(light, dtype=np.float32) / 255 * _FULL_LIGHT.max()
    return Ground((terrazzo ** np.float32(2.2)) * lit)


_FULL_LIGHT = diffuse_light(floats([[0, 0, 1]]), np.ones(1, np.float32), np.ones(1, np.float32))


def _light_map(mesh: shape.Mesh, cells: int) -> Floats:
    """Return the light (k, k, 3) that falls on the table, linear RGB, `cells` (k) along each side."""
    axis = (np.arange(cells, dtype=np.float32) + 0.5) / cells * 2 * RADIUS - RADIUS
    x, y = np.meshgrid(axis, axis)
    points = floats(np.stack([x, y, np.full_like(x, shape.GROUND_Z + 2e-3)], axis=-1).reshape(-1, 3))
    normals = floats(np.broadcast_to([0, 0, 1], points.shape))
    caster = RayCaster(mesh.vertices, mesh.triangles)
    openness = ambient_openness(caster, points, normals, reach=0.9, ray_count=16)
    lit = key_light_share(caster, points, ray_count=16)
    return diffuse_light(normals, openness, lit).reshape(cells, cells, 3)


def _terrazzo(cells: int, seed: int) -> Image.Image:
    """Draw stones of many sizes, no two alike, into a binder."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (cells, cells), BINDER)
    draw = ImageDraw.Draw(picture)
    for radius, count in STONES:
        texels = radius * cells / (2 * RADIUS)
        if texels < 0.5:
            break  # too small for this picture to show
        for centre in random.random((count, 2)) * cells:
            draw.polygon(_stone(centre, texels, random), fill=_stone_colour(random))
    mottle = np.asarray(picture, dtype=np.float32) + random.normal(0, 7, (cells, cells, 1))
    return Image.fromarray(np.uint8(np.clip(mottle, 0, 255))).filter(ImageFilter.GaussianBlur(0.7))


def _stone(centre: np.ndarray, radius: float, random: np.random.Generator) -> list[tuple[float, float]]:
    """Return the corners (x, y; texels) of a stone around a centre (2,), in texels as its radius."""
    angles = np.sort(random.random(7)) * 2 * np.pi
    radii = radius * random.uniform(0.6, 1.1, 7)
    return [(centre[0] + r * np.cos(a), centre[1] + r * np.sin(a)) for a, r in zip(angles, radii, strict=True)]


def _stone_colour(random: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = np.clip(np.array(CHIPS[random.integers(len(CHIPS))]) * random.uniform(0.75, 1.2), 0, 255)
    return int(red), int(green), int(blue)
