"""Votes of a view on points, compiled for CPUs: the same as `free_space.Votes` counts with tensors."""

import numpy as np

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32
_ZERO, _ONE = _F(0), _F(1)


@compiled
def add_votes(
    xyz: Floats,
    projection: Floats,
    seen: Floats,
    same_surface: float,
    clearly_behind: float,
    support: Floats,
    contradiction: Floats,
) -> None:
    """Count in `support`, (n,), where a view sees a surface at points, (n, 3), and in `contradiction`, (n,), where it sees through them.

    The view has a `projection`, (3, 4), and inverse depths `seen`, (h, w). `same_surface` and `clearly_behind` are shares of the depth.
    """
    height, width = seen.shape
    same, behind = _F(same_surface), _ONE - _F(clearly_behind)
    for i in range(len(xyz)):
        x, y, z = xyz[i, 0], xyz[i, 1], xyz[i, 2]
        depth = projection[2, 0] * x + projection[2, 1] * y + projection[2, 2] * z + projection[2, 3]
        if depth <= _ZERO:
            continue
        u = (projection[0, 0] * x + projection[0, 1] * y + projection[0, 2] * z + projection[0, 3]) / depth
        v = (projection[1, 0] * x + projection[1, 1] * y + projection[1, 2] * z + projection[1, 3]) / depth
        if not (_ZERO <= u < _F(width) and _ZERO <= v < _F(height)):
            continue
        row, column = int(v), int(u)
        if abs(seen[row, column] * depth - _ONE) <= same:
            support[i] += _ONE
        nearest = _ZERO
        for line in range(max(row - 1, 0), min(row + 2, height)):
            for place in range(max(column - 1, 0), min(column + 2, width)):
                nearest = max(nearest, seen[line, place])
        if nearest > _ZERO and nearest * depth < behind:
            contradiction[i] += _ONE
