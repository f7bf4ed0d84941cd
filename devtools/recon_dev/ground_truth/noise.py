"""Random patterns in space, the same for the same seed."""

import numpy as np
from scipy.ndimage import map_coordinates

from recon_worker.rendering.arrays import Floats

SIDE = 64
"""Cells of the random volume along each axis; a pattern repeats after this many of its own cells."""


class Noise:
    """Value noise: random values at the cells' corners, interpolated in between."""

    def __init__(self, seed: int) -> None:
        """Draw the random volumes."""
        random = np.random.default_rng(seed)
        self._volumes = random.random((3, SIDE, SIDE, SIDE), dtype=np.float32)

    def at(self, points: Floats, frequency: float, channel: int = 0) -> Floats:
        """Return values (n,) in 0 to 1 at points (n, 3), with `frequency` cells a unit, from one of three volumes."""
        # The offset keeps the volumes' mirror-free corner out of the object.
        cells = (points * np.float32(frequency) + np.float32(17.3)) % SIDE
        values: Floats = map_coordinates(self._volumes[channel], cells.T, order=1, mode="grid-wrap")
        return values

    def fractal(self, points: Floats, frequency: float, octaves: int = 3, channel: int = 0) -> Floats:
        """Return values (n,) in about 0 to 1 at points (n, 3): a sum of octaves, each twice as fine and half as strong.

        Perlin, "An Image Synthesizer", SIGGRAPH 1985.
        """
        total = np.zeros(len(points), dtype=np.float32)
        for octave in range(octaves):
            total += self.at(points, frequency * 2**octave, channel) * np.float32(0.5**octave)
        return total / np.float32(2 - 0.5 ** (octaves - 1))
