"""Normals of a depth map, compiled for CPUs: the same as `normals.normals_by_tensors` computes with tensors."""

import numpy as np
from numba import uintp

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32
_ZERO, _LEAST = _F(0), _F(1e-12)


@compiled
def find_normals(points: Floats, centre: Floats, reach: int, normals: Floats, cosine: Floats) -> None:
    """Write unit normals, (3, h, w), and their cosine to the line of sight, (h, w), of the points of pixels, (3, h, w).

    `centre` is the camera's centre, (3,). Differences are taken between pixels `reach` to both sides, each the mean of the 3 x 3 pixels around it.
    The border, where there are no such pixels, is left as it is.
    """
    height, width = cosine.shape
    size, border = 2 * reach + 1, reach + 1
    smooth = np.empty((3, size, width), _F)
    for newest in range(1, height - 1):
        for axis in range(3):
            rows = points[axis, newest - 1], points[axis, newest], points[axis, newest + 1]
            _smooth_row(rows, smooth[axis, newest % size])
        row = newest - reach
        if row >= border:
            _normals_of_row(
                smooth, ((row - reach) % size, row % size, newest % size), points, centre, (row, reach), normals, cosine
            )


@compiled
def _smooth_row(rows: tuple[Floats, Floats, Floats], smooth: Floats) -> None:
    """Compute the means of 3 x 3 pixels of three rows, (w,) each; the first and the last one are left as they are."""
    above, middle, below = rows
    for i in range(1, len(smooth) - 1):
        total = above[i - 1] + above[i] + above[i + 1] + middle[i - 1] + middle[i] + middle[i + 1]
        smooth[i] = (total + below[i - 1] + below[i] + below[i + 1]) / _F(9)


@compiled
def _normals_of_row(
    smooth: Floats,
    slots: tuple[int, int, int],
    points: Floats,
    centre: Floats,
    place: tuple[int, int],
    normals: Floats,
    cosine: Floats,
) -> None:
    """Write normals and cosines of a row. `smooth`, (3, k, w), has the rows above, at and below it in three `slots`."""
    above, at, below = uintp(slots[0]), uintp(slots[1]), uintp(slots[2])
    row, reach = uintp(place[0]), uintp(place[1])
    for i in range(reach + uintp(1), uintp(cosine.shape[1]) - reach - uintp(1)):
        right_x, down_x = smooth[0, at, i + reach] - smooth[0, at, i - reach], smooth[0, below, i] - smooth[0, above, i]
        right_y, down_y = smooth[1, at, i + reach] - smooth[1, at, i - reach], smooth[1, below, i] - smooth[1, above, i]
        right_z, down_z = smooth[2, at, i + reach] - smooth[2, at, i - reach], smooth[2, below, i] - smooth[2, above, i]
        # u is to the right and v down, so this order points to the camera.
        x = down_y * right_z - down_z * right_y
        y = down_z * right_x - down_x * right_z
        z = down_x * right_y - down_y * right_x
        length = max(np.sqrt(x * x + y * y + z * z), _LEAST)
        x, y, z = x / length, y / length, z / length
        normals[0, row, i], normals[1, row, i], normals[2, row, i] = x, y, z
        sight_x = centre[0] - points[0, row, i]
        sight_y = centre[1] - points[1, row, i]
        sight_z = centre[2] - points[2, row, i]
        distance = max(np.sqrt(sight_x * sight_x + sight_y * sight_y + sight_z * sight_z), _LEAST)
        found = (x * sight_x + y * sight_y + z * sight_z) / distance
        cosine[row, i] = found if abs(found) <= _F(2) else _ZERO  # beside unknown depths it is no number
