"""Refining inverse depth by comparing windows that are warped by the current depth map.

Each pixel of a window moves by its own depth, so a window follows the surface's slant and curvature with no explicit
normal, and only a shift of the whole window in depth is left to be found.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.compiled_filters import median_of_nine


def refine(
    comparison: Comparison, w: Tensor, step: float, reach: int, check: Callable[[], None]
) -> tuple[Tensor, Tensor]:
    """Return better inverse depths, and the correlation that they reach: (h, w) each.

    Tries shifts of `w`, (h, w), of -reach to reach times `step` (an inverse depth) and takes the best one, between shifts by
    a parabola. `check` is called between parts and may raise.
    """
    stack = torch.stack([comparison.score(w + shift * step, check) for shift in range(-reach, reach + 1)])
    highest, index = stack.max(dim=0, keepdim=True)
    inner = index.clamp(1, 2 * reach - 1)
    before, at, after = (stack.gather(0, inner + shift)[0] for shift in (-1, 0, 1))
    curvature = (2 * at - before - after).clamp_(min=1e-6)
    offset = ((after - before) / (2 * curvature)).clamp_(-1, 1) + (inner[0] - reach)
    return w + offset * step, highest[0]


def median3(x: Tensor) -> Tensor:
    """Return the median of each 3 x 3 neighbourhood of an image, (h, w), which removes single wrong pixels.

    By sorted columns (Smith, "Implementing Median Filters in XC4000E FPGAs", Xcell 23, 1996).
    """
    padded = torch.nn.functional.pad(x[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    if x.device.type == "cpu":
        return torch.from_numpy(median_of_nine(padded.numpy()))
    return median_by_tensors(padded)


def median_by_tensors(padded: Tensor) -> Tensor:
    """Return the same, (h, w), for an image with a margin of one pixel, (h + 2, w + 2), on any device."""
    height, width = (side - 2 for side in padded.shape)
    columns = [padded[:, start : start + width] for start in range(3)]
    lows, middles, highs = zip(*(_sorted3(*(c[row : row + height] for row in range(3))) for c in columns), strict=True)
    # The median of nine is the median of: the highest low, the middle middle, the lowest high of sorted columns.
    low = torch.maximum(torch.maximum(lows[0], lows[1]), lows[2])
    high = torch.minimum(torch.minimum(highs[0], highs[1]), highs[2])
    return _sorted3(low, _sorted3(*middles)[1], high)[1]


def _sorted3(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return three images of one shape, (h, w), as their least, middle and greatest values, pixel by pixel."""
    a, b = torch.minimum(a, b), torch.maximum(a, b)
    b, c = torch.minimum(b, c), torch.maximum(b, c)
    a, b = torch.minimum(a, b), torch.maximum(a, b)
    return a, b, c
