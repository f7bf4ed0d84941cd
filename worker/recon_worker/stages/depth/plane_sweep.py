"""Plane sweep over planes of equal inverse depth.

Collins, "A Space-Sweep Approach to True Multi-Image Matching", CVPR 1996.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from recon_worker.stages.depth.comparison import Comparison

PLANES_AT_ONCE = 16


def inverse_depths(nearest: float, farthest: float, count: int, device: torch.device) -> Tensor:
    """Return `count` inverse depths, (d,), float32, evenly spaced from the farthest to the nearest depth.

    Both depths are in the world's unit.
    """
    return torch.linspace(1 / farthest, 1 / nearest, count, device=device)


def sweep(comparison: Comparison, planes: Tensor, check: Callable[[], None]) -> Tensor:
    """Return the matching cost of each pixel at each plane, (h, w, d): 0 for the best correlation, 1 for none.

    `planes` are inverse depths, (d,). `check` is called between parts and may raise.
    """
    height, width = comparison.reference.image.shape
    volume = torch.empty((height, width, len(planes)), device=planes.device)
    for start in range(0, len(planes), PLANES_AT_ONCE):
        some = planes[start : start + PLANES_AT_ONCE]
        score = comparison.score(some[:, None, None], check)
        volume[..., start : start + len(some)] = (1 - score.clamp_(min=0)).permute(1, 2, 0)
    return volume
