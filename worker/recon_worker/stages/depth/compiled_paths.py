"""The four paths of semi-global matching, compiled for CPUs: the same as `semi_global_matching` computes with tensors."""

import numpy as np

from recon_worker.stages.compiled import Floats, compiled

_F = np.float32


@compiled
def add_paths_along_rows(cost: Floats, small_step: float, large_step: float, total: Floats) -> None:
    """Add what the paths from the left and from the right cost at each pixel to `total`; both are (h, w, d)."""
    height, width, depth = cost.shape
    path, scratch = np.empty(depth, _F), np.empty(depth, _F)
    for y in range(height):
        for start, step in ((0, 1), (width - 1, -1)):
            path[:] = _F(0)
            for number in range(width):
                x = start + step * number
                _advance(path, cost[y, x], _F(small_step), _F(large_step), scratch, total[y, x])


@compiled
def add_paths_along_columns(cost: Floats, small_step: float, large_step: float, total: Floats) -> None:
    """Add what the paths from above and from below cost at each pixel to `total`; both are (h, w, d)."""
    height, width, depth = cost.shape
    paths, scratch = np.empty((width, depth), _F), np.empty(depth, _F)
    for start, step in ((0, 1), (height - 1, -1)):
        paths[:] = _F(0)
        for number in range(height):
            y = start + step * number
            for x in range(width):  # all columns advance together: so memory is read in its order
                _advance(paths[x], cost[y, x], _F(small_step), _F(large_step), scratch, total[y, x])


@compiled
def _advance(
    path: Floats, cost: Floats, small_step: np.float32, large_step: np.float32, scratch: Floats, total: Floats
) -> None:
    """Bring a path one pixel on: `path`, `cost` and `total` are (d,) each."""
    last = len(path) - 1
    least = path[0]
    for i in range(len(path)):
        least = min(least, path[i])
    farther = least + large_step
    for i in range(1, last):
        scratch[i] = min(min(path[i - 1], path[i + 1]) + small_step, path[i], farther)
    # Beyond the first and the last plane nothing is ever cheaper.
    scratch[0] = min(path[min(1, last)] + small_step, path[0], farther)
    scratch[last] = min(path[max(last - 1, 0)] + small_step, path[last], farther)
    for i in range(len(path)):
        path[i] = scratch[i] - least + cost[i]
        total[i] += path[i]
