"""What other views say about a surface, compiled for CPUs: the same as `consistency.opinion` computes with tensors."""

import numpy as np
from numba import uintp

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)


@compiled
def add_opinion(
    surface: tuple[Floats, ...],
    projection: Floats,
    centre: Floats,
    seen: Floats,
    tolerances: tuple[float, float],
    most_tilted: float,
    count: Floats,
    change: Floats,
) -> None:
    """Count in `count`, (h, w), where another view sees the same surface, and add what it would change to `change`, (h, w).

    The `surface` is points and normals, (3, h, w) each, inverse depths, `along` and `across`, (h, w) each, of a `SeenSurface`. The
    other view has a `projection`, (3, 4), a `centre`, (3,), and inverse depths `seen`, (m + 2, n + 2), with a margin of zeros. `tolerances` are of inverse depth: as a share
    of it, and the most.
    """
    points, normals, w, along, across = surface
    share, most, tilted = _F(tolerances[0]), _F(tolerances[1]), _F(most_tilted)
    last_x, last_y = _F(seen.shape[1] - 1), _F(seen.shape[0] - 1)
    for row in range(uintp(w.shape[0])):  # unsigned: Numba asks of a signed index whether it counts from the end
        for column in range(uintp(w.shape[1])):
            x, y, z = points[0, row, column], points[1, row, column], points[2, row, column]
            depth = projection[2, 0] * x + projection[2, 1] * y + projection[2, 2] * z + projection[2, 3]
            if not (w[row, column] > _ZERO and depth > _ZERO):
                continue
            expected = _ONE / depth
            # Half a pixel to the centre of the first one, and one that the margin adds.
            u = (
                projection[0, 0] * x + projection[0, 1] * y + projection[0, 2] * z + projection[0, 3]
            ) * expected + _HALF
            v = (
                projection[1, 0] * x + projection[1, 1] * y + projection[1, 2] * z + projection[1, 3]
            ) * expected + _HALF
            if not (_ZERO <= u < last_x and _ZERO <= v < last_y):
                continue
            left, up = uintp(u), uintp(v)
            right, down = u - _F(left), v - _F(up)
            first = seen[up, left] + right * (seen[up, left + uintp(1)] - seen[up, left])
            second = seen[up + uintp(1), left]
            second += right * (seen[up + uintp(1), left + uintp(1)] - second)
            difference = first + down * (second - first) - expected
            if abs(difference) > min(share * expected, most):
                continue
            distance = -along[row, column]
            for axis in range(uintp(3)):
                distance += normals[axis, row, column] * centre[axis]
            tilt = min(max(distance * expected / across[row, column], _ZERO), tilted)
            ratio = depth * w[row, column]
            count[row, column] += _ONE
            change[row, column] += difference * tilt * ratio * ratio
