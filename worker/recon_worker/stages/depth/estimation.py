"""The depth map of one view: a sweep at a quarter of the resolution, then refinement at half and at full resolution."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from recon_worker.stages.depth.correlation import Reference
from recon_worker.stages.depth.plane_sweep import inverse_depths, sweep
from recon_worker.stages.depth.refinement import median3, refine
from recon_worker.stages.depth.semi_global_matching import aggregate, best_planes
from recon_worker.stages.depth.view import View
from recon_worker.stages.depth.warping import Warp

SWEEP_LEVEL = 2
SWEEP_RADIUS = 1
HALF_RADIUS = 2
FULL_RADIUS = 2
"""Windows are 2 radius + 1 pixels wide: smaller ones are sharper at edges, larger ones less noisy."""

BEST = 2
"""Sources of those compared that count at each pixel: the others may not see it."""


def estimate_inverse_depth(
    view: View, sources: Sequence[View], planes: int, check: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Return the inverse depth of each pixel, and the correlation of its window with the sources (-1 to 1): (h, w) each.

    `check` is called all the time and may raise.
    """
    best = min(BEST, len(sources))
    hypotheses = inverse_depths(view.nearest, view.farthest, planes, view.pyramid[0].device)
    coarse = Reference.of(view.pyramid[SWEEP_LEVEL], SWEEP_RADIUS)
    volume = sweep(coarse, _warps(view, sources, SWEEP_LEVEL, check), hypotheses, best, check)
    position = median3(best_planes(aggregate(volume, check)))
    w = hypotheses[0] + position * (hypotheses[1] - hypotheses[0])
    w, _ = _refined(view, sources, w, level=1, reach=2, pixels=0.5, best=best, check=check)
    return _refined(view, sources, median3(w), level=0, reach=1, pixels=0.5, best=best, check=check)


def _warps(view: View, sources: Sequence[View], level: int, check: Callable[[], None]) -> list[Warp]:
    warps = []
    for source in sources:
        check()
        warps.append(Warp.between(view, source, level))
    return warps


def _refined(
    view: View,
    sources: Sequence[View],
    w: Tensor,
    *,
    level: int,
    reach: int,
    pixels: float,
    best: int,
    check: Callable[[], None],
) -> tuple[Tensor, Tensor]:
    """Enlarge `w`, (h, w), to a level and refine it there by shifts of so many pixels in a typical source.

    Returns inverse depth and correlation, both of the level's shape.
    """
    image = view.pyramid[level]
    enlarged = torch.nn.functional.interpolate(w[None, None], image.shape, mode="bilinear")[0, 0]
    warps = _warps(view, sources, level, check)
    middle = (1 / view.nearest + 1 / view.farthest) / 2
    motion = sum(warp.pixels_per_inverse_depth(middle) for warp in warps) / len(warps)
    check()
    return refine(
        Reference.of(image, HALF_RADIUS if level else FULL_RADIUS),
        warps,
        enlarged,
        pixels / max(motion, 1e-9),
        reach,
        best,
        check,
    )
