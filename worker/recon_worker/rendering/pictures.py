"""Taking a picture of a model from a view."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recon_worker.rendering.arrays import Floats
from recon_worker.rendering.shaded_mesh import ShadedMesh
from recon_worker.rendering.studio import SHADOW_DEPTH, Floor
from recon_worker.rendering.views import View, slopes

FOUR_SAMPLES = ((0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875))
"""Places in a pixel on a rotated grid: four shades on edges of any slope."""
TWO_SAMPLES = ((0.25, 0.25), (0.75, 0.75))
ONE_SAMPLE = ((0.5, 0.5),)

Samples = tuple[tuple[float, float], ...]
Box = tuple[int, int, int, int]


def take_picture(
    model: ShadedMesh,
    view: View,
    background: Floats,
    samples: Samples,
    *,
    floor: Floor | None = None,
    check: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.uint8]:
    """Return the sRGB picture, (h, w, 3), of the model before a background of display values, (h, w, 3).

    `samples` are the places in each pixel through which rays go; on a `floor` the model's shadow falls. `check` is called
    several times for each of the samples, and what it raises ends the work. What the model leaves uncovered shows the
    background (Porter and Duff, "Compositing Digital Images", SIGGRAPH 1984).
    """
    height, width = background.shape[:2]
    picture = background.copy() if floor is None else _with_shadow(background, view, floor)
    check()
    left, top, right, bottom = _box(model, view, width, height)
    colours, coverage = sample_object(model, view, (width, height), (left, top, right, bottom), samples, check)
    check()
    behind = picture[top:bottom, left:right]
    picture[top:bottom, left:right] = colours + (1 - coverage[..., None]) * behind
    pixels: npt.NDArray[np.uint8] = (np.clip(picture, 0, 1) * 255 + np.float32(0.5)).astype(np.uint8)
    return pixels


def sample_object(
    model: ShadedMesh,
    view: View,
    size: tuple[int, int],
    box: Box,
    samples: Samples,
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Floats]:
    """Return premultiplied display values (h, w, 3) and coverage (h, w) within a box (left, top, right, bottom) of pixels."""
    left, top, right, bottom = box
    vertex_colours = _to_display(model.colours_from(view.axes))
    total = np.zeros(((bottom - top) * (right - left), 4), dtype=np.float32)
    for x, y in samples:
        check()
        columns, rows = np.arange(left, right, dtype=np.float32) + x, np.arange(top, bottom, dtype=np.float32) + y
        directions = _directions(view, size, columns, rows)
        hits = model.first_hits(np.broadcast_to(view.position, directions.shape), directions)
        check()
        found = np.flatnonzero(hits.mask)
        corners, weights = model.triangles[hits.triangle[found]], hits.weights[found]
        for corner in range(3):
            total[found, :3] += vertex_colours[corners[:, corner]] * weights[:, corner, None]
        total[found, 3] += 1
    mean = total.reshape(bottom - top, right - left, 4) / np.float32(len(samples))
    return mean[..., :3], mean[..., 3]


def _to_display(linear: Floats) -> Floats:
    """Return linear RGB (n, 3) as display values; the brightest tones are rolled off rather than clipped."""
    rolled = np.where(linear > 0.8, 0.8 + 0.2 * np.tanh((linear - 0.8) / 0.2), linear)
    display: Floats = np.maximum(rolled, 0).astype(np.float32) ** np.float32(1 / 2.2)
    return display


def _directions(view: View, size: tuple[int, int], columns: Floats, rows: Floats) -> Floats:
    """Return world directions (m * n, 3), row by row, through places in a picture of that width and height.

    `columns` (n,) and `rows` (m,) are pixels from the upper left corner; a direction's length along the view's axis is 1.
    """
    width, height = size
    across, up = slopes(width / height)
    x = (columns / np.float32(width) * 2 - 1) * across
    y = (1 - rows / np.float32(height) * 2) * up
    along_columns = np.outer(x, view.axes[0])
    along_rows = np.outer(y, view.axes[1]) + view.axes[2]
    directions: Floats = (along_rows[:, None, :] + along_columns[None, :, :]).reshape(-1, 3)
    return directions


def _box(model: ShadedMesh, view: View, width: int, height: int) -> Box:
    """Return the pixels in which the model can be seen: left, top, right, bottom."""
    step = max(1, len(model.vertices) // 20_000)
    margin = 1 if step == 1 else 6
    seen = (model.vertices[::step] - view.position) @ view.axes.T
    ahead = seen[seen[:, 2] > 1e-6 * model.diagonal]
    if not len(ahead):
        return 0, 0, 0, 0
    places = ahead[:, :2] / ahead[:, 2:] / slopes(width / height)
    columns, rows = (places[:, 0] + 1) / 2 * width, (1 - places[:, 1]) / 2 * height
    left, right = np.clip([columns.min() - margin, columns.max() + margin + 1], 0, width).astype(int)
    top, bottom = np.clip([rows.min() - margin, rows.max() + margin + 1], 0, height).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _with_shadow(background: Floats, view: View, floor: Floor) -> Floats:
    """Return the background, (h, w, 3), darker where the floor in front of it lies in the object's shadow."""
    height, width = background.shape[:2]
    columns, rows = np.arange(width, dtype=np.float32) + 0.5, np.arange(height, dtype=np.float32) + 0.5
    directions = _directions(view, (width, height), columns.astype(np.float32), rows.astype(np.float32))
    distance = (np.float32(floor.height) - view.position[1]) / np.minimum(directions[:, 1], np.float32(-1e-6))
    seen = np.flatnonzero((directions[:, 1] < -1e-6) & (distance > 0))
    place = view.position + distance[seen, None] * directions[seen]
    light = np.ones(len(directions), dtype=np.float32)
    light[seen] = 1 - np.float32(SHADOW_DEPTH) * (1 - floor.at(place[:, 0], place[:, 2]))
    shaded: Floats = background * light.reshape(height, width, 1)
    return shaded
