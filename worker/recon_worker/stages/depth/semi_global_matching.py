"""Semi-global matching, over four paths.

Hirschmüller, "Stereo Processing by Semiglobal Matching and Mutual Information", IEEE TPAMI 30(2), 2008.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from recon_worker.stages.depth.compiled_paths import add_paths_along_columns, add_paths_along_rows

SMALL_STEP = 0.06
"""Penalty of a change by one plane between neighbours: a slanted surface."""

LARGE_STEP = 0.4
"""Penalty of any larger change: the edge of something in front."""


def aggregate(
    cost: Tensor, check: Callable[[], None], small_step: float = SMALL_STEP, large_step: float = LARGE_STEP
) -> Tensor:
    """Return the cost, (h, w, d), summed over the four paths that reach each pixel from left, right, above and below.

    `check` is called between parts and may raise.
    """
    if cost.device.type == "cpu":
        return _aggregate_on_cpu(cost, check, small_step, large_step)
    return aggregate_by_tensors(cost, check, small_step, large_step)


def aggregate_by_tensors(cost: Tensor, check: Callable[[], None], small_step: float, large_step: float) -> Tensor:
    """Return the same, (h, w, d), on any device; `check` is called between rows and may raise."""
    total = _both_ways(cost, small_step, large_step, check)
    vertical = _both_ways(cost.transpose(0, 1).contiguous(), small_step, large_step, check)
    return total.add_(vertical.transpose(0, 1))


def _aggregate_on_cpu(cost: Tensor, check: Callable[[], None], small_step: float, large_step: float) -> Tensor:
    """Return the same, (h, w, d), by compiled code."""
    volume = cost.contiguous().numpy()
    total = np.zeros_like(volume)
    check()
    add_paths_along_rows(volume, small_step, large_step, total)
    check()
    add_paths_along_columns(volume, small_step, large_step, total)
    return torch.from_numpy(total)


def _both_ways(cost: Tensor, small_step: float, large_step: float, check: Callable[[], None]) -> Tensor:
    """Return the cost, (h, w, d), summed over the paths from both ends of the second axis.

    Both paths advance together, all rows at once.
    """
    rows, steps, depth = cost.shape
    columns = cost.transpose(0, 1).contiguous()
    total = torch.zeros_like(columns)
    # Neighbouring planes are found by shifted slices; beyond the first and last plane nothing is ever cheaper.
    padded = torch.full((2, rows, depth + 2), float("inf"), device=cost.device)
    path, previous = padded[:, :, 1:-1], torch.empty((2, rows, depth), device=cost.device)
    path.zero_()
    for step in range(steps):
        if step % 32 == 0:
            check()
        least = path.amin(dim=2, keepdim=True)
        torch.minimum(padded[:, :, :-2], padded[:, :, 2:], out=previous)
        previous.add_(small_step)
        torch.minimum(previous, path, out=previous)
        torch.minimum(previous, least + large_step, out=previous)
        previous.sub_(least)
        previous[0].add_(columns[step])
        previous[1].add_(columns[steps - 1 - step])
        path.copy_(previous)
        total[step].add_(previous[0])
        total[steps - 1 - step].add_(previous[1])
    return total.transpose(0, 1)


def best_planes(cost: Tensor) -> Tensor:
    """Return the place of the least cost, (h, w, d), of each pixel among the planes, (h, w), between them by a parabola."""
    depth = cost.shape[2]
    index = cost.argmin(dim=2).clamp_(1, depth - 2)[..., None]
    before, at, after = (cost.gather(2, index + shift)[..., 0] for shift in (-1, 0, 1))
    curvature = (before + after - 2 * at).clamp_(min=1e-6)
    return index[..., 0] + ((before - after) / (2 * curvature)).clamp_(-0.5, 0.5)
