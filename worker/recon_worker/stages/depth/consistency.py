"""Checking depth maps against each other: a surface point must be where several views say it is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Array = npt.NDArray[np.float64]

TOLERANCE_PX = 1.0
"""How far apart, in pixels of the other view, two views may see the same point."""

TOLERANCE_DEPTH = 0.01
"""How far apart, as a share of the depth."""


@dataclass(frozen=True)
class DepthMap:
    """Inverse depth of one view with its camera."""

    w: Tensor
    """H x W; zero where unknown."""
    K: Array
    R: Array
    t: Array

    def points(self) -> Tensor:
        """Return the world coordinates of all pixels, 3 x H x W; infinite where unknown."""
        height, width = self.w.shape
        u = torch.arange(width, device=self.w.device) + 0.5
        v = torch.arange(height, device=self.w.device)[:, None] + 0.5
        rays = self.R.T @ np.linalg.inv(self.K)
        centre = -self.R.T @ self.t
        depth = self.w.reciprocal()
        return torch.stack([(float(a) * u + float(b) * v + float(c)) * depth + float(o)
                            for (a, b, c), o in zip(rays, centre, strict=True)])  # fmt: skip


def agreement(points: Tensor, centre: Array, other: DepthMap) -> Tensor:
    """Say at which points (3 x H x W, world) the other view sees the same surface: H x W, bool.

    The point is projected into the other view. What that view sees there must differ by at most `TOLERANCE_DEPTH` in
    depth, and the difference must move it by at most `TOLERANCE_PX` for a camera at `centre` (as in the geometric
    filtering of Yao et al., MVSNet, 2018).
    """
    P = other.K @ np.hstack([other.R, other.t[:, None]])
    u, v, z = (float(p[0]) * points[0] + float(p[1]) * points[1] + float(p[2]) * points[2] + float(p[3]) for p in P)
    height, width = other.w.shape
    grid = torch.stack((2 * u / (z * width) - 1, 2 * v / (z * height) - 1), dim=-1)
    seen = torch.nn.functional.grid_sample(
        other.w[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0, 0]
    expected = z.reciprocal()
    motion = pixels_per_inverse_depth(other, centre)
    difference = (seen - expected).abs_()
    return (difference * motion <= TOLERANCE_PX) & (difference <= TOLERANCE_DEPTH * expected) & (z > 0)


def pixels_per_inverse_depth(view: DepthMap, centre: Array) -> float:
    """Return by how many pixels a unit of inverse depth in `view` moves a point as seen from `centre`.

    To first order: focal length times the distance between the two cameras across the line of sight.
    """
    baseline = view.R @ centre + view.t
    return float(view.K[0, 0]) * float(np.linalg.norm(baseline[:2]) + 1e-12)
