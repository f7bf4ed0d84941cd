"""Photo sets that tests reconstruct."""

import os
from pathlib import Path

from recon_dev.photos import known_photo_set, photos_in
from recon_dev.truth.cameras import Ring
from recon_dev.truth.photos import PHOTOS_FOLDER, PhotoSetSpec

ENOUGH = PhotoSetSpec(
    rings=(Ring(13, 18.0, 3.4), Ring(9, 46.0, 3.4)), width_px=640, height_px=480, shape_cells=160, ground_cells=1024
)
"""About the least that a reconstruction needs: 22 photos of 640x480."""
SUBSET = 22
"""Photos of a real set that are taken, evenly spaced: quick, and with overlap."""


def rendered_photos() -> list[Path]:
    """Return photos of an object of known shape."""
    return photos_in(known_photo_set(ENOUGH) / PHOTOS_FOLDER)


def real_photos() -> list[Path]:
    """Return photos of the folder that RECON_TEST_PHOTOS names; without it, rendered ones."""
    given = os.environ.get("RECON_TEST_PHOTOS")
    if not given:
        return rendered_photos()
    photos = photos_in(Path(given))
    return [photos[index * len(photos) // SUBSET] for index in range(min(SUBSET, len(photos)))]
