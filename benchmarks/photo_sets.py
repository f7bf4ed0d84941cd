"""The photos of the benchmarks that reconstruct: as many as a job needs, of one object of known shape."""

from collections.abc import Sequence
from pathlib import Path

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.photos import PHOTOS_FOLDER, PhotoSetSpec
from recon_dev.photos import known_photo_set, photos_in

PHOTO_SET = PhotoSetSpec(
    rings=(Ring(20, 18.0, 3.4), Ring(16, 40.0, 3.4), Ring(8, 62.0, 3.4)),
    width_px=640,
    height_px=480,
    shape_cells=160,
    ground_cells=1024,
)
"""44 photos in three rings; each job gets neighbours of each ring, so that they overlap however many they are."""


def photo_set() -> list[Path]:
    """Return all the photos; they are rendered where the cache has none."""
    return photos_in(known_photo_set(PHOTO_SET) / PHOTOS_FOLDER)


def neighbours(photos: Sequence[Path], count: int) -> list[Path]:
    """Return about so many photos: of each ring, in proportion, ones that stand side by side."""
    chosen: list[Path] = []
    start = 0
    for ring in PHOTO_SET.rings:
        chosen += photos[start : start + round(count * ring.count / len(photos))]
        start += ring.count
    return chosen
