"""Pictures that are laid on flat surfaces: sharp near by, averaged far away, so that they neither blur nor shimmer."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from recon_worker.rendering.arrays import Floats, floats

SMALLEST_LEVEL = 4
"""Texels along a side of the coarsest level."""


@dataclass(frozen=True)
class Texture:
    """A square picture that repeats, at several levels of detail."""

    levels: tuple[Floats, ...]
    """(k, k, 3) linear RGB, rows along v and columns along u, each half as fine as the one before; k is a power of 2."""
    texel: float
    """Width of a texel of the first level, in the scene's unit."""

    def at(self, u: Floats, v: Floats, footprint: Floats) -> Floats:
        """Return linear RGB (n, 3) at places (n,) and (n,) for pixels of widths (n,), all in the scene's unit."""
        wanted = np.log2(np.maximum(footprint / np.float32(self.texel), 1)) + np.float32(0.5)
        level = np.minimum(wanted.astype(np.int8), len(self.levels) - 1)
        colours = np.empty((len(u), 3), dtype=np.float32)
        for number, picture in enumerate(self.levels):
            some = np.flatnonzero(level == number)
            if len(some):
                scale = np.float32(1 / (self.texel * 2**number))
                colours[some] = _bilinear(picture, u[some] * scale, v[some] * scale)
        return colours


def make_texture(picture: Floats, texel: float) -> Texture:
    """Return a texture of a picture (k, k, 3), linear RGB, k a power of 2, whose texels have a width in the scene's unit."""
    levels = [floats(picture)]
    while len(levels[-1]) > SMALLEST_LEVEL:
        finer = levels[-1]
        levels.append((finer[::2, ::2] + finer[1::2, ::2] + finer[::2, 1::2] + finer[1::2, 1::2]) / np.float32(4))
    return Texture(tuple(levels), texel)


def cloud(size: int, cells: int, octaves: int, random: np.random.Generator, stretch: int = 1) -> Floats:
    """Return a picture (k, k) for `size` k, of mean 0 and standard deviation 1: octaves of noise from `cells` cells a side upwards.

    Each octave is twice as fine and 0.6 times as strong. Cells are `stretch` times as long along the columns (u).
    """
    total = np.zeros((size, size), dtype=np.float32)
    for octave in range(octaves):
        rows = min(cells * 2**octave, size)
        grid = random.standard_normal((rows, max(rows // stretch, 2)), dtype=np.float32)
        layer = Image.fromarray(grid).resize((size, size), Image.Resampling.BICUBIC)
        total += np.float32(0.6**octave) * np.asarray(layer, dtype=np.float32)
    normalised: Floats = (total - total.mean()) / total.std()
    return normalised


def texture_size(texels: int, coarseness: float) -> int:
    """Return how many texels a side of a texture has in a coarser scene: a power of 2, as `texels` is."""
    return max(int(texels / 2 ** np.ceil(np.log2(coarseness))), 16)


def to_linear(picture: Image.Image) -> Floats:
    """Return a picture of display values as linear RGB (h, w, 3)."""
    return floats((np.asarray(picture.convert("RGB"), dtype=np.float32) / 255) ** np.float32(2.2))


def _bilinear(picture: Floats, column: Floats, row: Floats) -> Floats:
    """Return values (n, 3) of a picture (k, k, 3) that repeats, at columns and rows (n,) from its first texel's corner."""
    size = len(picture)
    column, row = column - np.float32(0.5), row - np.float32(0.5)
    left, top = np.floor(column), np.floor(row)
    right, down = (column - left)[:, None], (row - top)[:, None]
    x0, y0 = left.astype(np.int64) & (size - 1), top.astype(np.int64) & (size - 1)
    x1, y1 = (x0 + 1) & (size - 1), (y0 + 1) & (size - 1)
    flat = picture.reshape(-1, 3)
    upper = flat[y0 * size + x0] * (1 - right) + flat[y0 * size + x1] * right
    lower = flat[y1 * size + x0] * (1 - right) + flat[y1 * size + x1] * right
    colours: Floats = upper + down * (lower - upper)
    return colours
