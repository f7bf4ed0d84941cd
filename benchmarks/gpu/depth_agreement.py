"""Depth maps: the compiled code of a CPU against the tensors of a GPU, on the same photos.

Both round differently. That decides what a pixel takes where two candidates match about as well, so single pixels may differ by
much: shares and quantiles are compared, and how near each result is to the truth. Bounds are several times what tensors on a CPU
differ by from compiled code.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.figures import Figure, largest, quantile, share
from benchmarks.gpu.photographs import Photograph
from benchmarks.gpu.tensor_code import code_of
from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.estimation import RADIUS, SEARCH_WEIGHTS, estimate_inverse_depth
from recon_worker.stages.depth.plain_areas import plain_areas
from recon_worker.stages.depth.refinement import median3
from recon_worker.stages.depth.semi_global_matching import LARGE_STEP, SMALL_STEP, aggregate

CPU = torch.device("cpu")

PLANES = 64
"""Of quality `standard`."""

SAME_PX = 0.1
"""Two depths are the same where a typical source sees their points no farther apart."""

NEAR_TRUTH = 0.005
"""Of the true depth: a depth that is off by more is an outlier."""


def go_on() -> None:
    """Order no stop: what the stages call all the time."""


def filters(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare medians and plain areas of a photo."""
    image = photos[0].view.pyramid[0]
    medians, plain = median3(image), plain_areas(image)
    with code_of(device):
        other_medians, other_plain = median3(image.to(device)).cpu(), plain_areas(image.to(device)).cpu()
    yield Figure(
        name="medians, largest difference (luminance 0 to 1)", value=largest(medians - other_medians), at_most=0
    )
    yield Figure(name="plain areas, share of the photo on the CPU", value=share(plain), at_least=0.05, at_most=0.95)
    yield Figure(
        name="plain areas, share of pixels that are the same", value=share(plain == other_plain), at_least=0.999
    )


def correlations(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare how well windows of a photo match the others at the true depths and at all kinds, at the whole resolution."""
    view, true = photos[0].view, 1 / photos[0].depth
    depths = {"true": true, "any": torch.linspace(1 / view.farthest, 1 / view.nearest, true.numel()).view(true.shape)}
    compiled = _scores(photos, depths, CPU)
    with code_of(device):
        by_tensors = _scores(photos, depths, device)
    for name in depths:
        # Beside what can be measured, rounding matters: windows are nearly plain there.
        difference = (compiled[name] - by_tensors[name])[view.measurable]
        figure = f"correlation of windows at {name} depths"
        yield Figure(name=f"{figure}, largest difference", value=largest(difference), at_most=2e-2)
        yield Figure(name=f"{figure}, 99 % of differences", value=quantile(difference, 0.99), at_most=2e-4)


def paths(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare costs that semi-global matching has summed over a volume of random ones, as large as the sweep's."""
    height, width = photos[0].view.pyramid[2].shape
    cost = torch.from_numpy(np.random.default_rng(7).random((height, width, PLANES), np.float32))
    total = aggregate(cost, go_on, SMALL_STEP, LARGE_STEP)
    with code_of(device):
        other = aggregate(cost.to(device), go_on, SMALL_STEP, LARGE_STEP).cpu()
    yield Figure(name="costs over paths, largest difference", value=largest(total - other), at_most=1e-4)


def depth_map(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare whole depth maps of a photo, and how near they are to the truth, and say how long each took."""
    w, score, cpu_s = _estimate(photos, CPU)
    with code_of(device):
        other_w, other_score, device_s = _estimate(photos, device)
    measured, other_measured = score > -1, other_score > -1
    both = measured & other_measured
    yield Figure(name="depth map, share of pixels measured on the CPU", value=share(measured), at_least=0.5)
    yield Figure(
        name="depth map, share of pixels measured by both or neither",
        value=share(measured == other_measured),
        at_least=0.99,
    )
    apart_px = ((w - other_w) / _inverse_depth_per_pixel(photos))[both].abs()
    yield Figure(
        name=f"depth map, share within {SAME_PX:g} px of each other", value=share(apart_px < SAME_PX), at_least=0.96
    )
    yield Figure(name="depth map, median difference (px)", value=quantile(apart_px, 0.5), at_most=0.01)
    yield Figure(
        name="depth map, correlation, median difference", value=quantile((score - other_score)[both], 0.5), at_most=1e-3
    )
    near, other_near = (
        share((each * photos[0].depth - 1).abs()[known] < NEAR_TRUTH)
        for each, known in ((w, measured), (other_w, other_measured))
    )
    yield Figure(
        name=f"depth map, share within {100 * NEAR_TRUTH:g} % of the truth on the CPU", value=near, at_least=0.75
    )
    yield Figure(name="depth map, the same on the device", value=other_near, at_least=near - 0.01)
    yield Figure(name="depth map, seconds on the CPU (one thread, warm)", value=cpu_s)
    yield Figure(name="depth map, seconds on the device (warm)", value=device_s)


DEPTH_CHECKS: tuple[Callable[[Sequence[Photograph], torch.device], Iterator[Figure]], ...] = (
    filters,
    correlations,
    paths,
    depth_map,
)


def _comparison(photos: Sequence[Photograph], device: torch.device) -> Comparison:
    view, *sources = (photo.on(device) for photo in photos)
    return Comparison.between(view, sources, 0, RADIUS, SEARCH_WEIGHTS, go_on)


def _scores(photos: Sequence[Photograph], depths: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Return the correlations, (h, w) on the CPU, at each of the inverse depths, (h, w)."""
    comparison = _comparison(photos, device)
    return {name: comparison.score(w.to(device), go_on).cpu() for name, w in depths.items()}


def _inverse_depth_per_pixel(photos: Sequence[Photograph]) -> float:
    middle = (1 / photos[0].view.nearest + 1 / photos[0].view.farthest) / 2
    return _comparison(photos, CPU).inverse_depth_per_pixel(middle)


def _estimate(photos: Sequence[Photograph], device: torch.device) -> tuple[Tensor, Tensor, float]:
    """Return inverse depths and scores, (h, w) each, on the CPU, and how many seconds that took."""
    view, *sources = (photo.on(device) for photo in photos)
    for each in estimate_inverse_depth(view, sources, PLANES, go_on):  # compiles code, or loads kernels
        each.cpu()  # waits for a GPU
    view, *sources = (photo.on(device) for photo in photos)
    began = time.monotonic()
    w, score = (each.cpu() for each in estimate_inverse_depth(view, sources, PLANES, go_on))
    return w, score, time.monotonic() - began
