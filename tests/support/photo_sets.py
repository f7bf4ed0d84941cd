"""Photo sets that tests reconstruct."""

import os
from dataclasses import replace
from pathlib import Path

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.photos import PHOTOS_FOLDER, PhotoSetSpec
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.photos import known_photo_set, photos_in

ENOUGH = PhotoSetSpec(
    rings=(Ring(13, 18.0, 3.4), Ring(9, 46.0, 3.4)), width_px=640, height_px=480, shape_cells=160, ground_cells=1024
)
"""About the least that a reconstruction needs: 22 photos of 640x480."""
SUBSET = ["35", "36", "37", "38", "47", "48", "49", "53", "54", "55"]
"""Photos of a real set (66 in four rings around a skull) that are neighbours on its rings: quick, and with overlap.

Evenly spaced ones are 72 degrees apart on a ring, and show too little of the same.
"""


def rendered_photos() -> list[Path]:
    """Return photos of an object of known shape."""
    return photos_in(known_photo_set(ENOUGH) / PHOTOS_FOLDER)


def real_photos() -> list[Path]:
    """Return photos of the folder that RECON_TEST_PHOTOS names; without it, rendered ones."""
    given = os.environ.get("RECON_TEST_PHOTOS")
    if not given:
        return rendered_photos()
    photos = [photo for photo in photos_in(Path(given)) if photo.stem in SUBSET]
    if len(photos) != len(SUBSET):
        raise FileNotFoundError(f"{given} has only {len(photos)} of the photos {' '.join(SUBSET)}")
    return photos


def smaller(spec: SceneSet, factor: int) -> SceneSet:
    """Return the same set with photos, meshes and textures that are so many times coarser."""
    width, height = spec.size
    return replace(spec, size=(width // factor, height // factor), coarseness=spec.coarseness * factor)
