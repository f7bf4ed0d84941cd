"""Normalised cross-correlation of small windows, by running sums.

After Lewis, "Fast Template Matching", Vision Interface 1995. Luminance is 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

VARIANCE_FLOOR = 5e-6
"""Added to the variance of a window (luminance 0 to 1): a deviation of half a grey level, so that plain areas don't match."""


def box_sum(x: Tensor, radius: int) -> Tensor:
    """Return the sums over the (2 radius + 1)^2 windows around each pixel of (..., h, w); outside counts as zero."""
    padded = torch.nn.functional.pad(x, (radius, radius, radius, radius))
    return _running_sum(_running_sum(padded, radius, -2), radius, -1)


def _running_sum(x: Tensor, radius: int, axis: int) -> Tensor:
    """Return sums of 2 radius + 1 neighbours along an axis of (..., h, w), which gets 2 radius shorter.

    Sums of powers of two are reused.
    """
    count = x.shape[axis] - 2 * radius
    total = x.narrow(axis, 0, count)
    power, size = x, 1
    remaining, offset = 2 * radius, 1
    while remaining:
        length = power.shape[axis] - size
        power = power.narrow(axis, 0, length) + power.narrow(axis, size, length)
        size *= 2
        if remaining & size:
            total = total + power.narrow(axis, offset, count)
            offset += size
            remaining -= size
    return total


@dataclass(frozen=True)
class Reference:
    """A reference image with the statistics of its windows."""

    image: Tensor
    """(h, w) luminance."""
    mean: Tensor
    """(h, w) of each pixel's window."""
    inverse_deviation: Tensor
    """(h, w) one over the standard deviation of each window."""
    per_window: Tensor
    """(h, w) one over the number of pixels of each window; windows are smaller at the image's border."""
    radius: int

    @classmethod
    def of(cls, image: Tensor, radius: int) -> "Reference":
        """Gather the statistics of all windows of an image, (h, w), of 2 radius + 1 pixels a side."""
        per_window = box_sum(torch.ones_like(image), radius).reciprocal_()
        mean = box_sum(image, radius) * per_window
        variance = (box_sum(image * image, radius) * per_window - mean * mean).clamp_(min=0)
        return cls(image, mean, (variance + VARIANCE_FLOOR).rsqrt_(), per_window, radius)

    def correlate(self, other: Tensor) -> Tensor:
        """Return the correlation of each window with the one in `other`, (..., h, w): of that shape, -1 to 1."""
        sums = box_sum(torch.stack((other, other * other, other * self.image)), self.radius).mul_(self.per_window)
        mean, square, product = sums
        variance = square.addcmul_(mean, mean, value=-1).clamp_(min=0).add_(VARIANCE_FLOOR).rsqrt_()
        scores: Tensor = product.addcmul_(mean, self.mean, value=-1).mul_(variance).mul_(self.inverse_deviation)
        return scores


class BestMean:
    """The weighted mean of the best few of the scores seen so far, pixel by pixel.

    A point is rarely seen by all sources: the mean over the best ones leaves those out in which it is hidden (Kang, Szeliski
    and Chai, "Handling Occlusions in Dense Multi-view Stereo", CVPR 2001).
    """

    def __init__(self, weights: Sequence[float]) -> None:
        """Keep as many of the highest scores as there are weights, which are those of the best one, of the second and so on."""
        self._kept: list[Tensor] = []
        self._weights = weights

    def add(self, score: Tensor) -> None:
        """Take one source's scores into account: (..., h, w), of one shape for all sources."""
        best = len(self._weights)
        for place, kept in enumerate(self._kept):  # sorted, pixel by pixel, the highest first
            self._kept[place] = torch.maximum(kept, score)
            if place + 1 < best:
                score = torch.minimum(kept, score)
        if len(self._kept) < best:
            self._kept.append(score)

    def mean(self) -> Tensor:
        """Return the weighted mean, (..., h, w). Raises ValueError where fewer were added than there are weights."""
        first, *others = (kept * weight for kept, weight in zip(self._kept, self._weights, strict=True))
        for other in others:
            first += other
        return first
