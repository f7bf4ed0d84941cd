"""Tensor code where compiled code would run: the rehearsal of a GPU's code on a CPU."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recon_worker.stages.compiled import Floats
from recon_worker.stages.depth import comparison, normals, plain_areas, refinement, semi_global_matching
from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.consistency import DepthMap, Opinions, SeenSurface, opinion
from recon_worker.stages.depth.correlation import Reference
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.warping import Warp
from recon_worker.stages.tracks import patches


def code_of(device: torch.device) -> AbstractContextManager[None]:
    """Return a block in which the stages' functions run the code of a GPU, also where the device is a CPU.

    For one thread: other threads would run that code, too.
    """
    return _only_tensors() if device.type == "cpu" else nullcontext()


@contextmanager
def _only_tensors() -> Iterator[None]:
    """Replace, for the block, what the stages call on a CPU by what they call on other devices."""
    by_tensors: list[tuple[Any, str, Callable[..., Any]]] = [
        (comparison, "OnCpu", _comparison),
        (semi_global_matching, "_aggregate_on_cpu", semi_global_matching.aggregate_by_tensors),
        (refinement, "median_of_nine", _median_of_nine),
        (plain_areas, "variance_of_similar", _variance_of_similar),
        (normals, "find_normals", _find_normals),
        (Votes, "add", Votes.add_by_tensors),
        (Opinions, "_ask_on_cpu", _ask),
        (patches, "_align_on_cpu", patches.align_by_tensors),
    ]
    compiled = [(owner, name, getattr(owner, name)) for owner, name, _ in by_tensors]
    try:
        for owner, name, function in by_tensors:
            setattr(owner, name, function)
        yield
    finally:
        for owner, name, function in compiled:
            setattr(owner, name, function)


def _comparison(reference: Reference, warps: tuple[Warp, ...], weights: tuple[float, ...], _: object) -> Comparison:
    return Comparison(reference, warps, weights)


def _median_of_nine(padded: Floats) -> Floats:
    """Return the medians, (h, w), of an image with a margin of one pixel, (h + 2, w + 2)."""
    return np.asarray(refinement.median_by_tensors(torch.from_numpy(padded)).numpy())


def _variance_of_similar(padded: Floats, _radius: int, _similar: float) -> Floats:
    """Return the variances, (h, w), of an image with a margin of r pixels, (h + 2 * r, w + 2 * r)."""
    return np.asarray(plain_areas.variance_by_tensors(torch.from_numpy(padded)).numpy())


def _find_normals(points: Floats, centre: npt.NDArray[np.float32], _reach: int, normal: Floats, cosine: Floats) -> None:
    """Write the normals, (3, h, w), of points (3, h, w) seen from a centre, (3,), and their cosines, (h, w)."""
    found = normals.normals_by_tensors(torch.from_numpy(points), centre.astype(np.float64))
    normal[...], cosine[...] = (tensor.numpy() for tensor in found)


def _ask(self: Opinions, surface: SeenSurface, other: DepthMap) -> None:
    self.add(opinion(surface, other))
