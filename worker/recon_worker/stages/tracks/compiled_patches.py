"""Aligning patches, compiled for CPUs: the same as `patches.align_by_tensors` computes with tensors, one patch after the other."""

import numpy as np
from numba import uintp

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32
_ZERO, _HALF, _ONE = _F(0), _F(0.5), _F(1)


@compiled
def align_patches(
    image: Floats,
    templates: Floats,
    steepest: Floats,
    inverses: tuple[Floats, Floats],
    centres: Floats,
    axes: Floats,
    rounds: tuple[int, int],
    limits: tuple[float, float, float],
    moved: Floats,
    score: Floats,
) -> None:
    """Find each template, (n, k) with k = side^2, in an image, (h, w): where, in `moved`, (n, 2), and its correlation, in `score`, (n,).

    `steepest`, (n, 6, k), says how a template changes with an affine warp, whose last two numbers are a shift; `inverses`, (n, 2, 2) and
    (n, 6, 6), are those of the normal matrices for a shift and for all, each of which is found in so many `rounds`. `centres`, (n, 2), and
    `axes`, (n, 2, 2), are as for `patches.align`. `limits` are the longest step, the largest change of a round that is no shift, and the floor
    of the variance.
    """
    side = int(np.sqrt(templates.shape[1]))
    patch, warp, step = np.empty(side * side, _F), np.empty((2, 3), _F), np.empty(6, _F)
    floor = _F(limits[2])
    for i in range(len(templates)):
        warp[:] = _ZERO
        warp[0, 0] = warp[1, 1] = _ONE
        for number in range(rounds[0] + rounds[1]):
            _sample(image, centres[i], axes[i], warp, side, floor, patch)
            patch -= templates[i]
            if number < rounds[0]:
                _find_step(steepest[i], patch, inverses[0][i], step)
            else:
                _find_step(steepest[i], patch, inverses[1][i], step)
            _change_warp(warp, step, side // 2, _F(limits[0]), _F(limits[1]))
        _sample(image, centres[i], axes[i], warp, side, floor, patch)
        score[i] = _dot(patch, templates[i]) / _F(len(patch))
        for axis in range(2):
            moved[i, axis] = centres[i, axis] + axes[i, axis, 0] * warp[0, 2] + axes[i, axis, 1] * warp[1, 2]


@compiled
def _sample(
    image: Floats, centre: Floats, axes: Floats, warp: Floats, side: int, floor: np.float32, patch: Floats
) -> None:
    """Look a patch of an image, (h, w), up, warped, into `patch`, (k,) with k = side^2, with a mean of 0 and a deviation of 1.

    The middle is at `centre`, (2,), with `axes`, (2, 2), changed by a warp, (2, 3).
    """
    m = axes[0, 0] * warp[0] + axes[0, 1] * warp[1], axes[1, 0] * warp[0] + axes[1, 1] * warp[1]
    last_x, last_y = _F(image.shape[1] - 1), _F(image.shape[0] - 1)
    radius = side // 2
    total, squares = _ZERO, _ZERO
    for row in range(side):
        down = _F(row - radius)
        x0 = centre[0] - _HALF + m[0][2] + m[0][1] * down
        y0 = centre[1] - _HALF + m[1][2] + m[1][1] * down
        for column in range(side):
            across = _F(column - radius)
            x = min(max(x0 + m[0][0] * across, _ZERO), last_x)
            y = min(max(y0 + m[1][0] * across, _ZERO), last_y)
            value = _between(image, x, y)
            patch[row * side + column] = value
            total += value
            squares += value * value
    mean = total / _F(len(patch))
    inverse_deviation = _ONE / np.sqrt(max(squares / _F(len(patch)) - mean * mean, _ZERO) + floor)
    for i in range(len(patch)):
        patch[i] = (patch[i] - mean) * inverse_deviation


@compiled
def _between(image: Floats, x: np.float32, y: np.float32) -> np.float32:
    """Return an image, (h, w), between its pixels, within it."""
    column = min(uintp(x), uintp(image.shape[1] - 2))
    row = min(uintp(y), uintp(image.shape[0] - 2))
    right, down = x - _F(column), y - _F(row)
    first = image[row, column] + right * (image[row, column + uintp(1)] - image[row, column])
    second = image[row + uintp(1), column]
    second += right * (image[row + uintp(1), column + uintp(1)] - second)
    value: np.float32 = first + down * (second - first)
    return value


@compiled
def _find_step(steepest: Floats, error: Floats, inverse: Floats, step: Floats) -> None:
    """Find the step, (6,), of which only the last numbers are not zero, as many as an inverse, (f, f), has; `steepest` is (6, k)."""
    first = 6 - len(inverse)
    step[:] = _ZERO
    for j in range(len(inverse)):
        slope = _dot(steepest[first + j], error)
        for i in range(len(inverse)):
            step[first + i] += inverse[i, j] * slope


@compiled
def _dot(a: Floats, b: Floats) -> np.float32:
    """Return the product of two vectors, (k,) each."""
    total = _ZERO
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@compiled
def _change_warp(warp: Floats, step: Floats, radius: int, longest: np.float32, largest: np.float32) -> None:
    """Put the inverse of a step, (6,), before a warp, (2, 3)."""
    length = max(np.sqrt(step[4] * step[4] + step[5] * step[5]), _F(1e-9))
    scale, size = min(longest / length, _ONE), _F(radius)
    a = _ONE + min(max(step[0] * scale, -largest), largest) / size
    c = min(max(step[1] * scale, -largest), largest) / size
    b = min(max(step[2] * scale, -largest), largest) / size
    d = _ONE + min(max(step[3] * scale, -largest), largest) / size
    x, y = step[4] * scale, step[5] * scale
    determinant = a * d - b * c
    ia, ib, ic, id_ = d / determinant, -b / determinant, -c / determinant, a / determinant
    ix, iy = -(ia * x + ib * y), -(ic * x + id_ * y)
    for row in range(2):
        first, second, third = warp[row, 0], warp[row, 1], warp[row, 2]
        warp[row, 0] = first * ia + second * ic
        warp[row, 1] = first * ib + second * id_
        warp[row, 2] = first * ix + second * iy + third
