"""Plane sweep over planes of equal inverse depth.

Collins, "A Space-Sweep Approach to True Multi-Image Matching", CVPR 1996.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from recon_worker.stages.depth.correlation import BestMean, Reference
from recon_worker.stages.depth.warping import Warp

PLANES_AT_ONCE = 16


def inverse_depths(nearest: float, farthest: float, count: int, device: torch.device) -> Tensor:
    """Return `count` inverse depths, (d,), float32, evenly spaced from the farthest to the nearest depth.

    Both depths are in the world's unit.
    """
    return torch.linspace(1 / farthest, 1 / nearest, count, device=device)


def sweep(reference: Reference, warps: Sequence[Warp], planes: Tensor, best: int, check: Callable[[], None]) -> Tensor:
    """Return the matching cost of each pixel at each plane, (h, w, d): 0 for the best correlation, 1 for none.

    `planes` are inverse depths, (d,); a cost comes from the mean of the `best` highest correlations among the sources.
    `check` is called between parts and may raise.
    """
    height, width = reference.image.shape
    volume = torch.empty((height, width, len(planes)), device=planes.device)
    for start in range(0, len(planes), PLANES_AT_ONCE):
        some = planes[start : start + PLANES_AT_ONCE]
        score = BestMean(best)
        for warp in warps:
            check()
            score.add(reference.correlate(warp.sample(some[:, None, None])))
        volume[..., start : start + len(some)] = (1 - score.mean().clamp_(min=0)).permute(1, 2, 0)
    return volume
