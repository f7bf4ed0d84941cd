"""Comparing a view with its sources: how well the windows of a depth map match them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_worker.stages.compiled import Floats
from recon_worker.stages.depth.compiled_correlation import MARGIN, correlate
from recon_worker.stages.depth.correlation import BestMean, Reference
from recon_worker.stages.depth.spans import spans_of
from recon_worker.stages.depth.view import View
from recon_worker.stages.depth.warping import Warp


@dataclass(frozen=True)
class Comparison:
    """A view and its sources at one level of the pyramid."""

    reference: Reference
    """The view, at this level."""
    warps: tuple[Warp, ...]
    """From the view to each source."""
    weights: tuple[float, ...]
    """Of the sources that count at each pixel, the one that matches best first: the others may not see it. Their sum is one."""

    @classmethod
    def between(
        cls,
        view: View,
        sources: Sequence[View],
        level: int,
        radius: int,
        weights: Sequence[float],
        check: Callable[[], None],
    ) -> "Comparison":
        """Prepare a comparison by windows of 2 radius + 1 pixels a side; `check` is called between sources and may raise.

        Where there are fewer sources than weights, the first weights count.
        """
        warps = []
        for source in sources:
            check()
            warps.append(Warp.between(view, source, level))
        counted = weights[: len(warps)]
        normalised = tuple(weight / sum(counted) for weight in counted)
        reference = Reference.of(view.pyramid[level], radius)
        if view.pyramid[level].device.type == "cpu":
            return OnCpu(reference, tuple(warps), normalised, spans_of(view.measurable.numpy(), level))
        return cls(reference, tuple(warps), normalised)

    def score(self, w: Tensor, check: Callable[[], None]) -> Tensor:
        """Return the mean correlation, -1 to 1, with the best sources at inverse depths `w`, (h, w) or, for d planes, (d, 1, 1).

        The result is (h, w) or (d, h, w). `check` is called between sources and may raise.
        """
        score = BestMean(self.weights)
        for warp in self.warps:
            check()
            score.add(self.reference.correlate(warp.sample(w)))
        return score.mean()

    def score_of_showing(self, score: Tensor, w: Tensor) -> Tensor:
        """Return a score, (h, w), as the mean over those of the best sources that show the points at inverse depths `w`, (h, w).

        A source that shows nothing of a point's window has a correlation of zero with it, which says nothing about the point. The weights
        must be equal.
        """
        showing = torch.zeros_like(score)
        for warp in self.warps:
            showing += warp.shows(w, self.reference.radius)
        best = len(self.weights)
        # Near the border of a frame, windows that reach into it at other depths count although their middle does not.
        return (score * best / showing.clamp_(1, best)).clamp_(max=1)

    def inverse_depth_per_pixel(self, near: float) -> float:
        """Return by how much inverse depth must change, near an inverse depth, to move a pixel by one in a typical source."""
        motion = sum(warp.pixels_per_inverse_depth(near) for warp in self.warps) / len(self.warps)
        return 1 / max(motion, 1e-9)


@dataclass(frozen=True)
class OnCpu(Comparison):
    """A comparison whose scores are computed by compiled code."""

    spans: npt.NDArray[np.int32]
    """(h, 2) first column of each row that is compared, and the one after the last; the score beside it is -1."""

    def score(self, w: Tensor, check: Callable[[], None]) -> Tensor:
        """Return the same within the spans as the comparison with tensors, but for rounding: (h, w) or (d, h, w)."""
        if w.dim() == 2:
            return torch.from_numpy(self._score(w.contiguous().numpy(), check))
        planes = [np.full(self.reference.image.shape, plane, np.float32) for plane in w.flatten().tolist()]
        return torch.from_numpy(np.stack([self._score(plane, check) for plane in planes]))

    @cached_property
    def _sources(self) -> list[Floats]:
        return [np.pad(warp.image.numpy(), MARGIN) for warp in self.warps]

    def _score(self, w: Floats, check: Callable[[], None]) -> Floats:
        reference = self.reference
        images = (reference.image, reference.mean, reference.inverse_deviation, reference.per_window)
        statistics = tuple(image.numpy() for image in images)
        columns = tuple(range(2 * reference.radius + 1))
        kept = np.full((len(self.weights), *w.shape), -1, np.float32)
        for added, (warp, source) in enumerate(zip(self.warps, self._sources, strict=True)):
            check()
            correlate(statistics, source, warp.A, warp.b, w, self.spans, columns, kept, added)
        kept *= np.array(self.weights, np.float32)[:, None, None]
        mean: Floats = kept.sum(axis=0)
        return mean
