"""Pixels of plain areas, whose depth cannot be measured.

A window at the edge of a plain sky or backdrop matches where the edge is, so the sky beside a roof would get the roof's depth. Such
a pixel is recognised by the pixels around it that look like it: among those there is no texture. After the support weights of
Yoon and Kweon, "Adaptive Support-Weight Approach for Correspondence Search", IEEE TPAMI 28(4), 2006.
"""

import torch
from torch import Tensor

from recon_worker.stages.depth.compiled_filters import variance_of_similar

RADIUS = 2
"""The windows that are compared, of 2 radius + 1 pixels a side, are looked at."""

SIMILAR = 0.08
"""Difference of luminance (0 to 1) up to which a pixel may belong to the same surface."""

LEAST_DEVIATION = 0.0045
"""Standard deviation of luminance, about one grey level, below which there is only noise."""


def plain_areas(image: Tensor) -> Tensor:
    """Say which pixels of an image, (h, w), luminance 0 to 1, belong to a plain area: (h, w), bool."""
    padded = torch.nn.functional.pad(image[None, None], (RADIUS,) * 4, mode="replicate")[0, 0]
    if image.device.type == "cpu":
        variance = torch.from_numpy(variance_of_similar(padded.numpy(), RADIUS, SIMILAR))
    else:
        variance = variance_by_tensors(padded)
    return variance < LEAST_DEVIATION**2


def variance_by_tensors(padded: Tensor) -> Tensor:
    """Return the variance, (h, w), of the pixels of each window that are similar to its middle, on any device.

    The image has a margin of RADIUS pixels: (h + 2 RADIUS, w + 2 RADIUS).
    """
    height, width = (side - 2 * RADIUS for side in padded.shape)
    image = padded[RADIUS : RADIUS + height, RADIUS : RADIUS + width]
    count, total, squares = (torch.zeros_like(image) for _ in range(3))
    for row in range(2 * RADIUS + 1):
        for column in range(2 * RADIUS + 1):
            difference = padded[row : row + height, column : column + width] - image
            similar = difference.abs() < SIMILAR
            difference = torch.where(similar, difference, 0.0)
            count += similar
            total += difference
            squares += difference * difference
    mean = total / count  # the pixel itself counts, so there is at least one
    return squares / count - mean * mean
