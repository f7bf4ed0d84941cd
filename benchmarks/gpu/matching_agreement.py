"""Patches and learned features: a CPU against a GPU, on the same photos."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.figures import Figure, quantile, share
from benchmarks.gpu.photographs import Photograph
from benchmarks.gpu.tensor_code import code_of
from recon_worker.stages.learned_matching.lighter_glue import LighterGlue
from recon_worker.stages.learned_matching.matching import FEATURES
from recon_worker.stages.learned_matching.photo_pairs import count_alike, stacked
from recon_worker.stages.learned_matching.xfeat import Features, XFeat
from recon_worker.stages.tracks.alignment import AT_ONCE, LEAST_SCORE
from recon_worker.stages.tracks.patches import align, cut_out

CPU = torch.device("cpu")

MARGIN_PX = 24
"""Templates are cut out so far from the border."""

SAME_PX = 0.1
"""Two keypoints are the same that are no farther apart."""

OFF_PX = 1.0
"""By how much places are off where templates are looked for, at most, along each axis."""


def patches(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare where templates of one photo are found in another, and how well they match there."""
    places, seen, start = _places(photos[0], photos[1])
    (templates, found, score), other = _align(photos, places, start, CPU), _align_on(photos, places, start, device)
    other_templates, other_found, other_score = other
    yield Figure(
        name="templates, 99.9 % of differences", value=quantile(templates - other_templates, 0.999), at_most=1e-3
    )
    # Where a template is not found the search runs away, and rounding decides where to.
    alike = (score > LEAST_SCORE) & (other_score > LEAST_SCORE)
    yield Figure(name="patches, share found by both", value=share(alike), at_least=0.3)
    same = (score > LEAST_SCORE) == (other_score > LEAST_SCORE)
    yield Figure(name="patches, share found by both or neither", value=share(same), at_least=0.98)
    apart_px = (found - other_found)[alike].norm(dim=-1)
    yield Figure(name="patches, 99 % of distances (px)", value=quantile(apart_px, 0.99), at_most=1e-2)
    yield Figure(
        name="patches, 99 % of differences of correlation",
        value=quantile((score - other_score)[alike], 0.99),
        at_most=1e-3,
    )
    error_px, other_error_px = (quantile((each - seen)[alike].norm(dim=-1), 0.5) for each in (found, other_found))
    yield Figure(name="patches, median distance from the truth on the CPU (px)", value=error_px, at_most=0.3)
    yield Figure(name="patches, the same on the device", value=other_error_px, at_most=error_px + 0.01)


def learned_features(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare keypoints and descriptors of a photo, by XFeat."""
    found, other = (_features(photos[0], each) for each in (CPU, device))
    # By differences: by products, the distance of a place from itself is a quarter of a pixel.
    between_px = torch.cdist(found.places, other.places.cpu(), compute_mode="donot_use_mm_for_euclid_dist")
    apart_px, nearest = between_px.min(dim=1)
    same = apart_px < SAME_PX
    likeness = (found.descriptors * other.descriptors.cpu()[nearest]).sum(-1)[same]
    yield Figure(name="features, number on the CPU", value=len(found.places), at_least=50)
    yield Figure(name="features, number on the device", value=len(other.places), at_least=0.98 * len(found.places))
    yield Figure(name=f"features, share found by both within {SAME_PX:g} px", value=share(same), at_least=0.97)
    yield Figure(
        name="features, likeness of descriptors (cosine), least of 99 %",
        value=1 - quantile(1 - likeness, 0.99),
        at_least=0.995,
    )


def learned_matches(photos: Sequence[Photograph], device: torch.device) -> Iterator[Figure]:
    """Compare the matches of two photos by LighterGlue, and how many features photos share, both of the CPU's features."""
    features = [_features(photo, CPU) for photo in photos[:4]]
    size = photos[0].depth.shape[1], photos[0].depth.shape[0]
    on_device = [Features(each.places.to(device), each.descriptors.to(device)) for each in features]
    matches = LighterGlue(CPU)(features[0], features[1], size, size)
    other = LighterGlue(device)(on_device[0], on_device[1], size, size).cpu()
    one, another = (set(map(tuple, each.tolist())) for each in (matches, other))
    yield Figure(name="matches, number on the CPU", value=len(one), at_least=20)
    yield Figure(
        name="matches, share that both find of all",
        value=len(one & another) / max(len(one | another), 1),
        at_least=0.97,
    )
    counts, other_counts = (count_alike(stacked(each), 0).cpu() for each in (features, on_device))
    difference = (counts - other_counts).double() / counts.clamp(min=50)
    yield Figure(
        name="shared features, largest difference of their number (share)",
        value=float(difference.abs().max()),
        at_most=0.02,
    )


MATCHING_CHECKS: tuple[Callable[[Sequence[Photograph], torch.device], Iterator[Figure]], ...] = (
    patches,
    learned_features,
    learned_matches,
)


def _places(photo: Photograph, other: Photograph) -> tuple[Tensor, Tensor, Tensor]:
    """Return places in a photo, where the other one shows the same, and near there, (n, 2) pixels each."""
    random = np.random.default_rng(3)
    height, width = photo.depth.shape
    low, high = (MARGIN_PX, MARGIN_PX), (width - MARGIN_PX, height - MARGIN_PX)
    pixels = random.integers(low, high, (AT_ONCE, 2))
    depth = photo.depth.numpy()[pixels[:, 1], pixels[:, 0]].astype(np.float64)
    rays = np.concatenate((pixels + 0.5, np.ones((AT_ONCE, 1))), axis=1) @ np.linalg.inv(photo.view.K).T
    world = (rays * depth[:, None] - photo.view.t) @ photo.view.R
    seen = (world @ other.view.R.T + other.view.t) @ other.view.K.T
    true = seen[:, :2] / seen[:, 2:]
    start = true + random.uniform(-OFF_PX, OFF_PX, true.shape)
    places, true, start = (torch.from_numpy(each.astype(np.float32)) for each in (pixels + 0.5, true, start))
    return places, true, start


def _align_on(
    photos: Sequence[Photograph], places: Tensor, start: Tensor, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Do what `_align` does, for places and starts, (n, 2), by the code of a GPU; what it returns is on the CPU."""
    with code_of(device):
        templates, found, score = _align(photos, places, start, device)
    return templates.cpu(), found.cpu(), score.cpu()


def _align(
    photos: Sequence[Photograph], places: Tensor, start: Tensor, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Return templates, (n, k), around places, (n, 2), and where they are found from `start`, (n, 2), and how well, (n,)."""
    one, other = (photo.view.pyramid[0].to(device) for photo in photos[:2])
    axes = torch.eye(2, device=device).expand(len(places), 2, 2)
    templates = cut_out(one, places.to(device), axes)
    return templates, *align(other, templates, start.to(device), axes)


def _features(photo: Photograph, device: torch.device) -> Features:
    return XFeat(device)(255 * photo.view.pyramid[0].to(device), FEATURES)
