"""Propagation: a pixel tries the surface that one of its neighbours has found, continued to where the pixel is.

Where a plane sweep goes wrong, at the rim of a round object, on a surface that is seen at a grazing angle or has little texture, a
neighbour is often right. Each candidate is a whole map: the current one, shifted by a step and continued along its slope. So a
window around a pixel is warped by the neighbour's slanted surface, and one warp of the image tests a candidate for all pixels.

After Bleyer, Rhemann and Rother, "PatchMatch Stereo - Stereo Matching with Slanted Support Windows", BMVC 2011, and, for all pixels
at once, Galliani, Lasinger and Schindler, "Massively Parallel Multiview Stereopsis by Surface Normal Diffusion", ICCV 2015.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.refinement import median3

DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1))
"""In which neighbours lie: columns to the right, rows down."""

SLOPE_REACH_PX = 2
"""A slope is measured between pixels so far on both sides."""


def propagate(
    comparison: Comparison,
    w: Tensor,
    steps_px: Sequence[int],
    limits: tuple[float, float],
    check: Callable[[], None],
) -> Tensor:
    """Return inverse depths, (h, w), of which each pixel has taken a neighbour's surface where that matches better.

    Neighbours are tried at each of the distances `steps_px`, one after the other; candidates stay within `limits`, the least and the
    greatest inverse depth. `check` is called between parts and may raise.
    """
    score = comparison.score(w, check)
    for step in steps_px:
        slopes = slopes_of(w)
        best, best_score = w, score
        for across, down in DIRECTIONS:
            candidate = continued(w, slopes, (step * across, step * down)).clamp_(*limits)
            candidate_score = comparison.score(candidate, check)
            best = torch.where(candidate_score > best_score, candidate, best)
            best_score = torch.maximum(candidate_score, best_score)
        w, score = best, best_score
    return w


def slopes_of(w: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much inverse depths (h, w) grow from one pixel to the next, to the right and down: (h, w) each.

    Single wrong pixels are removed by a median.
    """
    reach = SLOPE_REACH_PX
    across = (shifted(w, -reach, 0) - shifted(w, reach, 0)) / (2 * reach)
    down = (shifted(w, 0, -reach) - shifted(w, 0, reach)) / (2 * reach)
    return median3(across), median3(down)


def continued(w: Tensor, slopes: tuple[Tensor, Tensor], step: tuple[int, int]) -> Tensor:
    """Return for each pixel of (h, w) the surface of the neighbour at minus `step` (columns, rows), continued by its slopes.

    Both slopes are (h, w).
    """
    across, down = step
    rise = across * slopes[0] + down * slopes[1]
    return shifted(w + rise, across, down)


def shifted(x: Tensor, across: int, down: int) -> Tensor:
    """Return an image, (h, w), moved by so many columns to the right and rows down; border pixels are repeated."""
    height, width = x.shape
    sides = (max(across, 0), max(-across, 0), max(down, 0), max(-down, 0))
    padded = torch.nn.functional.pad(x[None, None], sides, mode="replicate")[0, 0]
    return padded[sides[3] : sides[3] + height, sides[1] : sides[1] + width]
