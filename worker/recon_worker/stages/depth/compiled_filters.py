"""Filters of 3 x 3 and 5 x 5 pixels, compiled for CPUs: the same as `refinement.median3` and `plain_areas` compute with tensors.

A row is finished before the next one begins, so intermediate values stay in the processor's caches: five to ten times as fast.
"""

import numpy as np

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32


@compiled
def median_of_nine(padded: Floats) -> Floats:
    """Return the median, (h, w), of each 3 x 3 neighbourhood of an image with a margin of one pixel, (h + 2, w + 2)."""
    height, width = padded.shape[0] - 2, padded.shape[1]
    low, middle, high = np.empty(width, _F), np.empty(width, _F), np.empty(width, _F)
    medians = np.empty((height, width - 2), _F)
    for y in range(height):
        _sort_columns(padded[y], padded[y + 1], padded[y + 2], low, middle, high)
        _take_medians(low, middle, high, medians[y])
    return medians


@compiled
def _sort_columns(first: Floats, second: Floats, third: Floats, low: Floats, middle: Floats, high: Floats) -> None:
    """Sort the three values of each column of three rows, (w,) each."""
    for i in range(len(low)):
        a, b, c = first[i], second[i], third[i]
        a, b = min(a, b), max(a, b)
        b, c = min(b, c), max(b, c)
        low[i], middle[i], high[i] = min(a, b), max(a, b), c


@compiled
def _take_medians(low: Floats, middle: Floats, high: Floats, medians: Floats) -> None:
    """Find the medians, (w - 2,), of each three columns that are sorted, (w,) each.

    They are the medians of the highest low, the middle middle and the lowest high.
    """
    for i in range(len(medians)):
        lowest = max(low[i], low[i + 1], low[i + 2])
        highest = min(high[i], high[i + 1], high[i + 2])
        a, b = min(middle[i], middle[i + 1]), max(middle[i], middle[i + 1])
        central = max(a, min(b, middle[i + 2]))
        a, b = min(lowest, central), max(lowest, central)
        medians[i] = max(a, min(b, highest))


@compiled
def variance_of_similar(padded: Floats, radius: int, similar: float) -> Floats:
    """Return the variance, (h, w), of the pixels of each window that differ from its middle by less than `similar`.

    Windows have 2 radius + 1 pixels a side; the image has a margin of `radius` pixels: (h + 2 radius, w + 2 radius).
    """
    size = 2 * radius + 1
    height, width = padded.shape[0] - 2 * radius, padded.shape[1] - 2 * radius
    count, total, squares = np.empty(width, _F), np.empty(width, _F), np.empty(width, _F)
    variance = np.empty((height, width), _F)
    for y in range(height):
        middle = padded[y + radius, radius : radius + width]
        count[:], total[:], squares[:] = _F(0), _F(0), _F(0)
        for row in range(size):
            for column in range(size):
                _add_similar(padded[y + row, column : column + width], middle, _F(similar), count, total, squares)
        for i in range(width):
            mean = total[i] / count[i]  # the middle itself counts, so there is at least one
            variance[y, i] = squares[i] / count[i] - mean * mean
    return variance


@compiled
def _add_similar(
    pixels: Floats, middle: Floats, similar: np.float32, count: Floats, total: Floats, squares: Floats
) -> None:
    """Count the pixels of a row that are like those in the middle of their windows; sum differences and their squares, (w,) each."""
    for i in range(len(pixels)):
        difference = pixels[i] - middle[i]
        counts = _F(1) if abs(difference) < similar else _F(0)
        difference *= counts
        count[i] += counts
        total[i] += difference
        squares[i] += difference * difference
