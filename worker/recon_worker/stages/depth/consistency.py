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

MOST_TILTED = 2.0
"""A view that sees the surface so much more steeply than another has no better opinion of its depth."""

LEAST_AGREEING = 2
"""Other views that must see the same surface: one may be wrong in the same way by chance."""

LEAST_SCORE = 0.4
"""Correlation below which a depth is not believed."""

SURE_SCORE = 0.9
"""Correlation above which one view that agrees is enough, so that what only two photos show is not lost."""


@dataclass(frozen=True)
class DepthMap:
    """Inverse depth of one view with its camera."""

    w: Tensor
    """(h, w) inverse depth; zero where unknown."""
    K: Array
    """(3, 3) from the camera's frame to pixels of the map, whose centres are at +0.5."""
    R: Array
    """(3, 3) from the world's axes to the camera's."""
    t: Array
    """(3,) in the world's unit: X_camera = R X_world + t."""

    def points(self) -> Tensor:
        """Return the world coordinates of all pixels, (3, h, w); infinite where unknown."""
        height, width = self.w.shape
        u = torch.arange(width, device=self.w.device) + 0.5
        v = torch.arange(height, device=self.w.device)[:, None] + 0.5
        rays = self.R.T @ np.linalg.inv(self.K)
        centre = -self.R.T @ self.t
        depth = self.w.reciprocal()
        return torch.stack(
            [
                (float(a) * u + float(b) * v + float(c)) * depth + float(o)
                for (a, b, c), o in zip(rays, centre, strict=True)
            ]
        )


@dataclass(frozen=True)
class Opinion:
    """What another view says about the surface that a view sees."""

    agrees: Tensor
    """(h, w), bool: it sees the same surface there."""
    change: Tensor
    """(h, w): what it would add to the inverse depth; meaningless where it does not agree."""


def opinion(points: Tensor, normals: Tensor, centre: Array, w: Tensor, other: DepthMap) -> Opinion:
    """Ask another view about a view's points and unit normals, (3, h, w) in the world frame, and inverse depths `w`, (h, w).

    A point is projected into the other view. It agrees where what it sees there differs by at most `TOLERANCE_DEPTH` in
    depth, and the difference moves the point by at most `TOLERANCE_PX` for the camera at `centre`, (3,) in the world frame:
    the geometric filtering of Yao et al., "MVSNet: Depth Inference for Unstructured Multi-view Stereo", ECCV 2018.
    """
    P = other.K @ np.hstack([other.R, other.t[:, None]])
    u, v, z = (float(p[0]) * points[0] + float(p[1]) * points[1] + float(p[2]) * points[2] + float(p[3]) for p in P)
    height, width = other.w.shape
    grid = torch.stack((2 * u / (z * width) - 1, 2 * v / (z * height) - 1), dim=-1)
    seen = torch.nn.functional.grid_sample(
        other.w[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0, 0]
    expected = z.reciprocal()
    difference = seen - expected
    size = difference.abs()
    motion = pixels_per_inverse_depth(other, centre)
    agrees = (size * motion <= TOLERANCE_PX) & (size <= TOLERANCE_DEPTH * expected) & (z > 0)
    # A surface that is shifted along its normal shifts by 1 / (normal . ray) along a ray that advances by one in depth,
    # and by w^2 times that in inverse depth.
    mine, theirs = _across(points, normals, centre) * w, _across(points, normals, _centre(other)) * expected
    ratio = (theirs / mine).clamp_(0, MOST_TILTED) * (w / expected).square_()
    return Opinion(agrees, difference * ratio)


def confirmed(agreeing: Tensor, asked: int, score: Tensor) -> Tensor:
    """Say which depths are confirmed, (h, w), bool, by how many of the views that were asked agree, (h, w), and the correlation, (h, w)."""
    by_several = (agreeing >= min(LEAST_AGREEING, asked)) & (score >= LEAST_SCORE)
    return by_several | ((agreeing >= 1) & (score >= SURE_SCORE))


def _across(points: Tensor, normals: Tensor, centre: Array) -> Tensor:
    """Return how far, along the normal, each point is from a camera: (h, w), in the world's unit.

    Points and unit normals are (3, h, w), the camera's centre is (3,); all are in the world frame.
    """
    return sum(normals[axis] * (float(centre[axis]) - points[axis]) for axis in range(3))  # type: ignore[return-value]


def _centre(view: DepthMap) -> Array:
    """Return the view's centre of projection, (3,) in the world frame."""
    centre: Array = -view.R.T @ view.t
    return centre


def pixels_per_inverse_depth(view: DepthMap, centre: Array) -> float:
    """Return by how many pixels a unit of inverse depth in `view` moves a point as seen from `centre`, (3,) in the world frame.

    To first order: focal length times the distance between the two cameras across the line of sight.
    """
    baseline = view.R @ centre + view.t
    return float(view.K[0, 0]) * float(np.linalg.norm(baseline[:2]) + 1e-12)
