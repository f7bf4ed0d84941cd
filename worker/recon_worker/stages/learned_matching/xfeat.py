"""Keypoints and descriptors by XFeat.

Potje, Cadar, Araujo, Martins and Nascimento, "XFeat: Accelerated Features for Lightweight Image Matching", CVPR 2024.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from recon_worker.stages.learned_matching.weights import load_weights

CELL_PX = 8
"""Descriptors are found on a grid of this spacing; a photo's sides must be multiples of 32, four halvings of it."""

SIDE_PX = 4 * CELL_PX

LEAST_SCORE = 0.05
"""Probability of a pixel to be the keypoint of its cell."""

APART_PX = 5
"""A keypoint is the best one in a window of so many pixels."""

EPSILON = 1e-5

STRIDES = {
    "block1": (1, 2, 1, 2),
    "block2": (1, 1),
    "block3": (2, 1, 1),
    "block4": (2, 1, 1),
    "block5": (2, 1, 1, 1),
    "block_fusion": (1, 1),
    "heatmap_head": (1, 1),
    "keypoint_head": (1, 1, 1),
}
"""Of each block's convolutions, each of which is followed by batch normalisation and a ReLU."""


@dataclass(frozen=True)
class Features:
    """What was found in one photo, the strongest feature first."""

    places: Tensor
    """(n, 2): x and y in pixels of the photo that the network saw; the middle of the first pixel is 0, 0."""
    descriptors: Tensor
    """(n, 64) of length 1."""


class XFeat:
    """The network, with its weights."""

    def __init__(self, device: torch.device) -> None:
        """Load the weights."""
        weights = load_weights("xfeat.pt")
        self._blocks = {
            block: [
                _folded(weights, f"{block}.{number}.layer", stride, device) for number, stride in enumerate(strides)
            ]
            for block, strides in STRIDES.items()
        }
        self._linear = {
            name: (weights[f"{name}.weight"].to(device), weights[f"{name}.bias"].to(device))
            for name in ("skip1.1", "block_fusion.2", "heatmap_head.2", "keypoint_head.3")
        }
        self._device = device

    def __call__(self, photo: Tensor, count: int) -> Features:
        """Return at most `count` features of a photo, (h, w) luminance of any scale, of sides that are multiples of SIDE_PX."""
        grey = photo.to(self._device)[None, None].float()
        normal = (grey - grey.mean()) * (grey.var(correction=0) + EPSILON).rsqrt()
        dense, reliability = self._describe(normal)
        heat = self._heat(normal)
        places, scores = _peaks(heat)
        height, width = heat.shape
        scores = scores * _sampled(reliability, places, width, height, "bilinear")[:, 0]
        strongest = scores.argsort(descending=True, stable=True)[:count]
        places = places[strongest]
        descriptors = _sampled(functional.normalize(dense, dim=1), places, width, height, "bicubic")
        return Features(_between_pixels(heat, places), functional.normalize(descriptors, dim=-1))

    def _describe(self, normal: Tensor) -> tuple[Tensor, Tensor]:
        """Return descriptors, (1, 64, h, w), and how reliable each is, (1, 1, h, w), of a photo, (1, 1, H, W), of eight times that size."""
        skipped = functional.conv2d(functional.avg_pool2d(normal, 4), *self._linear["skip1.1"])
        eighth = self._block("block3", self._block("block2", self._block("block1", normal) + skipped))
        sixteenth = self._block("block4", eighth)
        coarse = (sixteenth, self._block("block5", sixteenth))
        size = eighth.shape[-2:]
        fused = eighth + sum(functional.interpolate(level, size, mode="bilinear") for level in coarse)
        dense = functional.conv2d(self._block("block_fusion", fused), *self._linear["block_fusion.2"])
        reliability = functional.conv2d(self._block("heatmap_head", dense), *self._linear["heatmap_head.2"])
        return dense, reliability.sigmoid()

    def _heat(self, normal: Tensor) -> Tensor:
        """Return the probability of each pixel to be the keypoint of its cell, (h, w)."""
        cells = functional.pixel_unshuffle(normal, CELL_PX)
        logits = functional.conv2d(self._block("keypoint_head", cells), *self._linear["keypoint_head.3"])
        # The last of the 65 stands for a cell without a keypoint.
        return functional.pixel_shuffle(logits.softmax(1)[:, :-1], CELL_PX)[0, 0]

    def _block(self, name: str, x: Tensor) -> Tensor:
        for weight, bias, stride in self._blocks[name]:
            x = functional.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2).relu_()
        return x


def _folded(weights: Mapping[str, Tensor], layer: str, stride: int, device: torch.device) -> tuple[Tensor, Tensor, int]:
    """Return a convolution's weight, (o, i, k, k), and bias, (o,), with the normalisation that follows it put into them, and its stride."""
    mean, variance = weights[f"{layer}.1.running_mean"], weights[f"{layer}.1.running_var"]
    scale = (variance + EPSILON).rsqrt()
    weight = weights[f"{layer}.0.weight"] * scale[:, None, None, None]
    return weight.to(device), (-mean * scale).to(device), stride


def _peaks(heat: Tensor) -> tuple[Tensor, Tensor]:
    """Return the local maxima of a map (h, w): where, (n, 2) whole pixels, and how high, (n,)."""
    rows, columns = (heat > LEAST_SCORE).nonzero(
        as_tuple=True
    )  # few of all pixels, so only their windows are looked at
    reach = APART_PX // 2
    padded = functional.pad(heat, (reach, reach, reach, reach))
    height = heat[rows, columns]
    highest = torch.ones_like(rows, dtype=torch.bool)
    for down in range(APART_PX):
        for across in range(APART_PX):
            highest &= padded[rows + down, columns + across] <= height
    rows, columns = rows[highest], columns[highest]
    return torch.stack((columns, rows), dim=-1).float(), heat[rows, columns]


def _sampled(x: Tensor, places: Tensor, width: int, height: int, mode: str) -> Tensor:
    """Return the channels of (1, c, h, w) at places, (n, 2) in pixels of a photo of that size: (n, c)."""
    grid = 2 * places / torch.tensor([width - 1, height - 1], device=places.device) - 1
    return functional.grid_sample(x, grid[None, None], mode=mode, align_corners=False)[0, :, 0].T


def _between_pixels(heat: Tensor, places: Tensor) -> Tensor:
    """Move each maximum, (n, 2), to that of the parabolas through the logarithm of (h, w) at it and at its neighbours."""
    height, width = heat.shape
    logarithm = heat.clamp(min=1e-12).log()
    column, row = places.long().unbind(-1)
    offsets = []
    for step_x, step_y in ((1, 0), (0, 1)):
        before = logarithm[(row - step_y).clamp(min=0), (column - step_x).clamp(min=0)]
        after = logarithm[(row + step_y).clamp(max=height - 1), (column + step_x).clamp(max=width - 1)]
        curvature = (2 * logarithm[row, column] - before - after).clamp(min=1e-6)
        offsets.append((0.5 * (after - before) / curvature).clamp(-0.5, 0.5))
    return places + torch.stack(offsets, dim=-1)
