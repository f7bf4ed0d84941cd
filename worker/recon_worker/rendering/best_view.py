"""Choosing the side that shows most of an object."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.model import Model
from recon_worker.rendering.pictures import ONE_SAMPLE, sample_object
from recon_worker.rendering.views import angles_of, direction_of, framed

THUMBNAIL = (96, 72)
"""Width and height in pixels of the pictures by which views are compared."""

BLOCK = 4
"""Pixels along the side of the blocks that are compared."""

CANDIDATES = 16

ELEVATIONS_DEG = (16.0, 27.0)
"""A camera lower or higher than this is taken as if it had stood at the limit: from there one sees front and top."""


def best_direction(
    model: Model, camera_centres: npt.NDArray[np.floating], on_candidate: Callable[[float], None]
) -> Floats:
    """Return the unit direction (3,) from the model towards the camera whose view shows most detail.

    `camera_centres` (n, 3) are the photos' places: a side that no photo shows is never chosen. Detail is the mean slope of
    brightness over a coarse picture, so that an edge-on view or an empty back loses.
    """
    directions = candidate_directions(camera_centres - (model.vertices.max(axis=0) + model.vertices.min(axis=0)) / 2)
    scores = []
    for index, direction in enumerate(directions):
        on_candidate(index / len(directions))
        scores.append(_detail(model, direction))
    return directions[int(np.argmax(scores))]


def candidate_directions(offsets: npt.NDArray[np.floating]) -> list[Floats]:
    """Return up to `CANDIDATES` unit directions, evenly picked from offsets (n, 3) in the order of their azimuth."""
    angles = sorted(angles_of(offset) for offset in offsets if np.linalg.norm(offset) > 0) or [(0.0, 0.3)]
    picked = np.unique(np.linspace(0, len(angles) - 1, CANDIDATES).round().astype(int))
    low, high = np.radians(ELEVATIONS_DEG)
    return [direction_of(angles[index][0], float(np.clip(angles[index][1], low, high))) for index in picked]


def _coarser(picture: Floats) -> Floats:
    """Return the means of blocks of pixels of an image (h, w): shape and pattern stay, the grain of a surface goes."""
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    return floats(picture.reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3)))


def _detail(model: Model, direction: Floats) -> float:
    """Return the mean slope of brightness over a coarse picture from a unit direction (3,) of the world frame."""
    width, height = THUMBNAIL
    view = framed(model.vertices[:: max(1, len(model.vertices) // 5000)], direction, width / height, 0.9)
    colours, coverage = sample_object(model, view, THUMBNAIL, (0, 0, width, height), ONE_SAMPLE)
    brightness = _coarser(colours.mean(axis=2) + (1 - coverage))
    slopes = np.abs(np.diff(brightness, axis=0)[:, :-1]) + np.abs(np.diff(brightness, axis=1)[:-1])
    return float(slopes.mean())
