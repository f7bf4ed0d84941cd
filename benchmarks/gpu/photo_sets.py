"""The photos that are reconstructed: `python -m benchmarks.gpu.photo_sets NAME` renders a set where the cache has none."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from recon_dev.ground_truth.cameras import Ring
from recon_dev.ground_truth.photos import DEMO, PhotoSetSpec
from recon_dev.photos import known_photo_set

PHOTO_SETS: Mapping[str, PhotoSetSpec] = {
    "few": PhotoSetSpec(
        rings=(Ring(13, 18.0, 3.4), Ring(9, 46.0, 3.4)), width_px=640, height_px=480, shape_cells=160, ground_cells=1024
    ),
    "teapot": DEMO,
    "many": PhotoSetSpec(
        rings=(Ring(40, 13.0, 3.45), Ring(34, 34.0, 3.4), Ring(26, 57.0, 3.4)), width_px=1600, height_px=1200
    ),
}
"""`few`: about the least that a reconstruction needs. `many`: 100 photos, no larger than quality `standard` takes them."""


def folder_of(name: str) -> Path:
    """Return the folder of a set in the cache, rendered by all cores where it is missing."""
    return known_photo_set(PHOTO_SETS[name], threads=len(os.sched_getaffinity(0)))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(PHOTO_SETS))
    print(folder_of(parser.parse_args().name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
