"""The depth map of one view: a sweep at a quarter of the resolution, propagation and refinement at half and at the full one."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.plane_sweep import inverse_depths, sweep
from recon_worker.stages.depth.propagation import propagate
from recon_worker.stages.depth.refinement import median3, refine
from recon_worker.stages.depth.semi_global_matching import aggregate, best_planes
from recon_worker.stages.depth.view import View

SWEEP_LEVEL = 2
SWEEP_RADIUS = 1
PLANE_PX = 1.5
"""Farthest that planes of a sweep may be apart, in pixels of a typical source, where depth has a wide range."""

MOST_PLANES = 256
"""Of a sweep, however wide the range is: they cost memory and time."""

RADIUS = 2
"""Windows are 2 radius + 1 pixels wide: smaller ones are sharper at edges, larger ones less noisy."""

SEARCH_WEIGHTS = (0.8, 0.2)
"""Of the best sources while the surface is looked for: what only one of them sees, at a rim, is found too."""

BEST_AT_LAST = 4
"""Sources that count once it is found, and half of them at most: more of them average noise out."""

STEPS_PX = (8, 4, 2, 1)
"""How far away neighbours are whose surface is tried, in pixels of half the resolution."""

STEPS_AT_LAST_PX = (1,)
"""The same at the whole resolution."""


def estimate_inverse_depth(
    view: View, sources: Sequence[View], planes: int, check: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Return the inverse depth of each pixel, and the correlation of its window with the sources (-1 to 1): (h, w) each.

    The correlation is -1 where nothing is measured: in plain and hidden areas, and where the depth is at an end of its range. `planes` is the least number of
    hypotheses. `check` is called all the time and may raise.
    """
    limits = 1 / view.farthest, 1 / view.nearest
    middle = sum(limits) / 2
    half = Comparison.between(view, sources, 1, RADIUS, SEARCH_WEIGHTS, check)
    pixel = half.inverse_depth_per_pixel(middle)
    w = _enlarged(_swept(view, sources, planes, check), half)
    w, _ = refine(half, w, pixel / 2, 2, check)
    w = propagate(half, w, STEPS_PX, limits, check)
    w, _ = refine(half, w, pixel / 4, 1, check)
    best_at_last = max(min(BEST_AT_LAST, len(sources) // 2), 2)
    full = Comparison.between(view, sources, 0, RADIUS, (1.0,) * best_at_last, check)
    pixel = full.inverse_depth_per_pixel(middle)
    w = propagate(full, _enlarged(median3(w), full), STEPS_AT_LAST_PX, limits, check)
    w, _ = refine(full, w, pixel / 2, 1, check)
    w, score = refine(full, w, pixel / 4, 1, check)
    measured = (w > limits[0] + pixel) & (w < limits[1] - pixel) & view.measurable
    return w, torch.where(measured, full.score_of_showing(score, w), -1.0)


def _swept(view: View, sources: Sequence[View], planes: int, check: Callable[[], None]) -> Tensor:
    """Return the inverse depth of each pixel, (h, w), at the level of the sweep."""
    comparison = Comparison.between(view, sources, SWEEP_LEVEL, SWEEP_RADIUS, SEARCH_WEIGHTS, check)
    limits = 1 / view.farthest, 1 / view.nearest
    range_px = (limits[1] - limits[0]) / comparison.inverse_depth_per_pixel(sum(limits) / 2)
    planes = max(planes, min(math.ceil(range_px / PLANE_PX), MOST_PLANES))
    hypotheses = inverse_depths(view.nearest, view.farthest, planes, view.pyramid[0].device)
    position = median3(best_planes(aggregate(sweep(comparison, hypotheses, check), check)))
    return hypotheses[0] + position * (hypotheses[1] - hypotheses[0])


def _enlarged(w: Tensor, comparison: Comparison) -> Tensor:
    """Return inverse depths, (m, n), at the comparison's size, (h, w)."""
    size = comparison.reference.image.shape
    return torch.nn.functional.interpolate(w[None, None], size, mode="bilinear")[0, 0]
