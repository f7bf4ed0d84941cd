"""Paint for parts: textures laid on them, and solid materials that go through them."""

import numpy as np

from recon_dev.ground_truth.distance_functions import Vector
from recon_dev.ground_truth.noise import Noise
from recon_dev.ground_truth.scenes.scene import Paint, Painter, SurfacePoints
from recon_dev.ground_truth.scenes.textures import Texture
from recon_worker.rendering.arrays import Floats, floats


def laid(
    texture: Texture, gloss: float = 0.0, origin: Vector = (0.0, 0.0, 0.0), tint: Vector = (1.0, 1.0, 1.0)
) -> Painter:
    """Return paint that lays a texture on each side of a thing, along the two axes that the side faces least.

    The texture's first texel lies at `origin`, and at places of their own on the sides that face along x and y. Its
    colours are multiplied by `tint`.
    """

    def paint(surface: SurfacePoints) -> Paint:
        """Return the texture's colours (n, 3)."""
        axis = np.abs(surface.normals).argmax(axis=1)
        x, y, z = (surface.points - floats(origin)).T
        u = np.where(axis == 0, y + np.float32(1.37), x)
        v = np.where(axis == 2, y, z + np.float32(0.61) * (axis == 1))
        return Paint(texture.at(u, v, surface.footprint) * floats(tint), np.full(len(u), gloss, dtype=np.float32))

    return paint


def plain(colour: Vector, gloss: float = 0.0) -> Painter:
    """Return paint of one linear RGB."""

    def paint(surface: SurfacePoints) -> Paint:
        """Return the same colour (n, 3) everywhere."""
        count = len(surface.points)
        return Paint(np.tile(floats(colour), (count, 1)), np.full(count, gloss, dtype=np.float32))

    return paint


def mottled(colour: Vector, strength: float, frequency: float, seed: int) -> Painter:
    """Return paint whose albedo varies by about `strength` (standard deviation, a share of it), in spots of 1 / `frequency`."""
    noise = Noise(seed)

    def paint(surface: SurfacePoints) -> Paint:
        """Return the colour times noise, (n, 3)."""
        spots = noise.fractal(surface.points, frequency, 4) + noise.fractal(surface.points, frequency / 8, 2, 1)
        # The two noises together vary by about 0.2.
        shade = 1 + np.float32(5 * strength) * (spots - 1)
        return Paint(floats(colour) * shade[:, None], np.zeros(len(shade), dtype=np.float32))

    return paint


def ramp(tone: Floats, colours: Floats) -> Floats:
    """Return linear RGB (n, 3) for tones (n,) in 0 to 1 along k evenly spaced colours (k, 3)."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(tone, stops, channel) for channel in colours.T], axis=1).astype(np.float32)
