"""The correlation of windows with a warped image, compiled for CPUs.

The same as `Warp.sample` and `Reference.correlate` compute with tensors. A row at a time goes from the warp to the score, so no
intermediate value leaves the processor's caches: five times as fast. Loops are so simple that LLVM makes vector instructions of them.
"""

import numpy as np
import numpy.typing as npt
from numba import int32, uintp

from recon_worker.stages.compiled import Floats, compiled
from recon_worker.stages.depth.correlation import VARIANCE_FLOOR

Array = npt.NDArray[np.float64]

MARGIN = ((1, 2), (1, 2))
"""Rows and columns of zeros before and after a source, so that what is looked up outside it is zero without a case of its own."""

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)
_FLOOR, _LEAST_Z = _F(VARIANCE_FLOOR), _F(1e-6)


@compiled
def correlate(
    statistics: tuple[Floats, ...],
    source: Floats,
    A: Array,
    b: Array,
    w: Floats,
    spans: npt.NDArray[np.int32],
    columns: tuple[int, ...],
    kept: Floats,
    added: int,
) -> None:
    """Take the correlation of each window with a source into account in `kept`, (best, h, w): the highest ones, highest first.

    Only windows whose middle lies within the `spans`, (h, 2), first column and one after the last, are compared.

    `statistics` are luminance, mean, one over the deviation and one over the size of each window, (h, w) each. `source`, (m + 3, n + 3), has its
    MARGIN. The point at pixel p = (u, v, 1), whose centre is at +0.5, and inverse depth `w`, (h, w), is at A p + w b in homogeneous pixels
    of the source: `A` is (3, 3), `b` is (3,). `columns` has as many elements as a window has columns, for the length of a tuple
    is known to the compiler. So many sources were `added` before.
    """
    reference, mean, inverse_deviation, per_window = statistics
    height, width = reference.shape
    size, radius = len(columns), len(columns) // 2
    warped, rows = np.zeros((size, width), _F), np.zeros((size, width), _F)
    sums, score = np.zeros((3, width + 2 * radius), _F), np.empty(width, _F)
    place, right, down = np.empty(width, np.int32), np.empty(width, _F), np.empty(width, _F)
    for newest in range(height + radius):
        slot = newest % size
        first, last = _reached(spans, newest, radius, width)
        if newest < height and first < last:
            _project(A, b, (first, newest), w[newest, first:last], source.shape, place, right, down)
            _look_up(source, place, right, down, warped[slot, first:last])
            rows[slot, first:last] = reference[newest, first:last]
        elif newest >= height:
            warped[slot] = _ZERO
        y = newest - radius
        if y >= 0 and spans[y, 0] < spans[y, 1]:
            first, last = spans[y, 0], spans[y, 1]
            start, end = max(first - radius, 0), min(last + radius, width)
            _sum_columns(warped, rows, (start, end), columns, sums)
            of_row = score[: last - first]
            statistics_of_row = (mean[y, first:last], inverse_deviation[y, first:last], per_window[y, first:last])
            _correlate_row((sums[0, first:], sums[1, first:], sums[2, first:]), columns, statistics_of_row, of_row)
            for rank in range(min(added, len(kept))):
                _exchange(kept[rank, y, first:last], of_row)
            if added < len(kept):
                kept[added, y, first:last] = of_row


@compiled
def _reached(spans: npt.NDArray[np.int32], row: int, radius: int, width: int) -> tuple[int, int]:
    """Return the first column of a row that windows within the spans, (h, 2), reach, and the one after the last."""
    first, last = width, 0
    for y in range(max(row - radius, 0), min(row + radius + 1, len(spans))):
        if spans[y, 0] < spans[y, 1]:
            first, last = min(first, spans[y, 0] - radius), max(last, spans[y, 1] + radius)
    return max(first, 0), min(last, width)


@compiled
def _project(
    A: Array,
    b: Array,
    start: tuple[int, int],
    w: Floats,
    size: tuple[int, int],
    place: npt.NDArray[np.int32],
    right: Floats,
    down: Floats,
) -> None:
    """Find the pixel of the source that is up and left of each point, (w,), and how far, 0 to 1, the point is from there.

    The points are those of a row from `start`, a column and a row, on.
    """
    column, v = _F(start[0]), start[1] + 0.5
    ax, ay, az = _F(A[0, 0]), _F(A[1, 0]), _F(A[2, 0])
    x0, y0, z0 = _F(A[0, 1] * v + A[0, 2]), _F(A[1, 1] * v + A[1, 2]), _F(A[2, 1] * v + A[2, 2])
    bx, by, bz = _F(b[0]), _F(b[1]), _F(b[2])
    last_x, last_y, stride = int32(size[1] - 2), int32(size[0] - 2), int32(size[1])
    for i in range(len(w)):
        u = column + _F(i) + _HALF
        z = _ONE / max(az * u + z0 + w[i] * bz, _LEAST_Z)
        # Half a pixel to the centre of the first one, and one that the margin adds.
        x = min(max((ax * u + x0 + w[i] * bx) * z + _HALF, _ZERO), _F(last_x))
        y = min(max((ay * u + y0 + w[i] * by) * z + _HALF, _ZERO), _F(last_y))
        across, line = min(max(int32(x), int32(0)), last_x), min(max(int32(y), int32(0)), last_y)  # safe for any number
        right[i], down[i] = x - _F(across), y - _F(line)
        place[i] = line * stride + across


@compiled
def _look_up(source: Floats, place: npt.NDArray[np.int32], right: Floats, down: Floats, found: Floats) -> None:
    """Interpolate the source, (m + 3, n + 3), between four pixels each, of which the first is at `place`, (w,), in the order of memory."""
    pixels, below = source.reshape(-1), uintp(source.shape[1])
    for i in range(len(found)):
        k = uintp(place[i])  # unsigned: Numba asks of a signed index whether it counts from the end
        first, second = pixels[k], pixels[k + below]
        first += right[i] * (pixels[k + uintp(1)] - first)
        second += right[i] * (pixels[k + below + uintp(1)] - second)
        found[i] = first + down[i] * (second - first)


@compiled
def _sum_columns(warped: Floats, rows: Floats, span: tuple[int, int], columns: tuple[int, ...], sums: Floats) -> None:
    """Sum the values, their squares, and their products with the reference, of a window's rows, (k, w) each, to (3, w + k - 1).

    Only the columns of the `span`, the first one and the one after the last, are summed.
    """
    values, squares, products = sums[0], sums[1], sums[2]
    radius = uintp(len(columns) // 2)
    for i in range(uintp(span[0]), uintp(span[1])):
        value, square, product = _ZERO, _ZERO, _ZERO
        for j in range(uintp(len(columns))):
            one = warped[j, i]
            value += one
            square += one * one
            product += one * rows[j, i]
        values[i + radius], squares[i + radius], products[i + radius] = value, square, product


@compiled
def _correlate_row(
    sums: tuple[Floats, ...], columns: tuple[int, ...], statistics: tuple[Floats, ...], score: Floats
) -> None:
    """Compute the correlation of each window of a row, (w,), -1 to 1, from the sums of its columns, (w + k - 1,) each."""
    mean, inverse_deviation, per_window = statistics
    values, squares, products = sums
    for i in range(uintp(len(score))):
        value, square, product = _ZERO, _ZERO, _ZERO
        for j in range(uintp(len(columns))):
            value += values[i + j]
            square += squares[i + j]
            product += products[i + j]
        value *= per_window[i]
        variance = max(square * per_window[i] - value * value, _ZERO) + _FLOOR
        covariance = product * per_window[i] - value * mean[i]
        score[i] = covariance * inverse_deviation[i] / np.sqrt(variance)


@compiled
def _exchange(kept: Floats, score: Floats) -> None:
    """Keep the higher value of each pair, (w,) each, and leave the lower one."""
    for i in range(uintp(len(score))):
        higher, lower = max(kept[i], score[i]), min(kept[i], score[i])
        kept[i], score[i] = higher, lower
