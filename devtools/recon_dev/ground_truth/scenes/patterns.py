"""Pictures of materials, (k, k, 3) in linear RGB: cloth, boards, plaster, carpets, paintings, stones."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from recon_dev.ground_truth.scenes.textures import cloud, to_linear
from recon_worker.rendering.arrays import Floats, floats

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""

CLOTH: Sequence[Colour] = ((172, 40, 46), (28, 62, 120), (226, 186, 82), (38, 108, 88), (236, 226, 206), (92, 44, 94))
SMALLEST_STONE = 2
"""Texels: smaller ones a coarse picture does not show."""

EARTH: Sequence[Colour] = ((122, 58, 36), (196, 148, 92), (62, 72, 66), (214, 196, 160), (150, 96, 60), (44, 40, 52))


def printed_cloth(size: int, motifs: int, colours: Sequence[Colour], seed: int) -> Floats:
    """Return cloth (k, k, 3), k being `size`, with a printed rosette in each of `motifs` x `motifs` fields, no two alike, and its weave."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (size, size), colours[0])
    draw = ImageDraw.Draw(picture)
    field = size / motifs
    for row in range(motifs):
        for column in range(motifs):
            _draw_field(draw, column * field, row * field, field, colours, random)
    cloth = to_linear(picture)
    weave = 1 + np.float32(0.10) * cloud(size, size // 4, 2, random) + np.float32(0.08) * cloud(size, 6, 4, random)
    return np.clip(cloth * weave[..., None], 0, 1)


def _draw_field(
    draw: ImageDraw.ImageDraw,
    left: float,
    top: float,
    field: float,
    colours: Sequence[Colour],
    random: np.random.Generator,
) -> None:
    """Draw a patch, a rosette on it and a few dots around."""
    ground, *inks = (_tinted(colours[i], random) for i in random.permutation(len(colours))[:4])
    draw.rectangle((left, top, left + field, top + field), fill=ground)
    x, y = left + field * random.uniform(0.4, 0.6), top + field * random.uniform(0.4, 0.6)
    for ring, ink in enumerate(inks):
        draw.polygon(_rosette(x, y, field * (0.46 - 0.15 * ring), random), fill=ink)
    for dx, dy in random.random((9, 2)):
        radius = field * random.uniform(0.015, 0.05)
        spot = (left + dx * field, top + dy * field)
        draw.ellipse((spot[0] - radius, spot[1] - radius, spot[0] + radius, spot[1] + radius), fill=inks[0])


def _rosette(x: float, y: float, radius: float, random: np.random.Generator) -> list[tuple[float, float]]:
    petals, phase, depth = random.integers(3, 9), random.uniform(0, 6.28), random.uniform(0.15, 0.6)
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radii = radius * (1 - depth * (0.5 + 0.5 * np.cos(petals * angles + phase)))
    return [(float(x + r * np.cos(a)), float(y + r * np.sin(a))) for a, r in zip(angles, radii, strict=True)]


def _tinted(colour: Colour, random: np.random.Generator) -> Colour:
    red, green, blue = np.clip(np.array(colour) * random.uniform(0.75, 1.2) + random.normal(0, 6, 3), 0, 255)
    return int(red), int(green), int(blue)


def boards(size: int, rows: int, colours: tuple[Colour, Colour], seed: int) -> Floats:
    """Return wooden boards (k, k, 3), k being `size`, along the columns: `rows` of them side by side, each with its own tone and grain."""
    random = np.random.default_rng(seed)
    width = size // rows
    tone = np.empty((size, size), dtype=np.float32)
    grain = cloud(size, 40, 6, random, stretch=10)
    for top in range(0, size, width):
        ends = np.sort(random.integers(0, size, 4))
        for left, right in zip([0, *ends], [*ends, size], strict=True):
            piece = np.s_[top : top + width, left:right]
            down, along = random.integers(size - width + 1), random.integers(size - (right - left) + 1)
            shifted = grain[down : down + width, along : along + right - left]
            tone[piece] = np.clip(0.5 + 0.19 * shifted + random.uniform(-0.22, 0.22), 0, 1)
            tone[top : top + width, max(left - 2, 0) : left + 1] *= np.float32(0.25)
        tone[top : top + max(size // 1024, 1)] *= np.float32(0.25)
    dark, light = (to_linear(Image.new("RGB", (1, 1), colour))[0, 0] for colour in colours)
    return floats(dark + tone[..., None] * (light - dark))


def plaster(size: int, strength: float, seed: int) -> Floats:
    """Return a plain white wall (k, k, 3), k being `size`, whose albedo varies around 1 by `strength` (standard deviation, a share of it)."""
    random = np.random.default_rng(seed)
    mottle = 0.7 * cloud(size, size // 16, 4, random) + 0.7 * cloud(size, 6, 5, random)
    return np.repeat(1 + np.float32(strength) * mottle[..., None], 3, axis=2)


def stones(
    size: int, sizes: Sequence[tuple[float, int]], colours: Sequence[Colour], mortar: Colour, seed: int
) -> Floats:
    """Return stones (k, k, 3) in mortar, k being `size`.

    `sizes` lists their radius, as a share of the side, and how many there are, the largest first.
    """
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (size, size), mortar)
    draw = ImageDraw.Draw(picture)
    for share, count in sizes:
        if share * size < SMALLEST_STONE:
            break
        for x, y in random.random((count, 2)) * size:
            angles = np.sort(random.random(8)) * 2 * np.pi
            radii = share * size * random.uniform(0.7, 1.1, 8)
            outline = [(float(x + r * np.cos(a)), float(y + r * np.sin(a))) for a, r in zip(angles, radii, strict=True)]
            draw.polygon(outline, fill=_tinted(colours[int(random.integers(len(colours)))], random))
    grit = 1 + np.float32(0.09) * cloud(size, size // 8, 3, random) + np.float32(0.08) * cloud(size, 8, 4, random)
    return np.clip(to_linear(picture) * grit[..., None], 0, 1)


def painting(size: int, colours: Sequence[Colour], seed: int) -> Floats:
    """Return an abstract painting (k, k, 3), k being `size`: soft fields of colour with strokes over them."""
    random = np.random.default_rng(seed)
    picture = Image.new("RGB", (size, size), colours[-1])
    draw = ImageDraw.Draw(picture)
    for number in range(140):
        x, y = random.random(2) * size
        colour = _tinted(colours[int(random.integers(len(colours)))], random)
        if number < 50:
            draw.polygon(_rosette(x, y, size * random.uniform(0.05, 0.28), random), fill=colour)
        else:
            dx, dy = random.normal(0, 0.14, 2) * size
            draw.line((x, y, x + dx, y + dy), fill=colour, width=int(size * random.uniform(0.004, 0.02)) + 1)
    touch = 1 + np.float32(0.12) * cloud(size, size // 8, 3, random)
    return np.clip(to_linear(picture) * touch[..., None], 0, 1)
