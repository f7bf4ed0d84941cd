"""Checking depth maps against each other: a surface point must be where several views say it is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_worker.stages.depth.compiled_opinions import add_opinion

Array = npt.NDArray[np.float64]

TOLERANCE_PX = 1.0
"""How far apart, in pixels of the other view, two views may see the same point."""

TOLERANCE_DEPTH = 0.01
"""How far apart, as a share of the depth."""

MOST_TILTED = 2.0
"""A view that sees the surface so much more steeply than another has no better opinion of its depth."""

LEAST_ACROSS = 1e-6
"""Distance of a camera from a surface, along the normal, in depths of the point: none sees a surface from behind."""

LEAST_AGREEING = 2
"""Other views that must see the same surface: one may be wrong in the same way by chance."""

LEAST_SCORE = 0.4
"""Correlation below which a depth is not believed."""

SURE_SCORE = 0.75
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

    def centre(self) -> Array:
        """Return the centre of projection, (3,) in the world frame."""
        return np.asarray(-self.R.T @ self.t)

    def projection(self) -> Array:
        """Return the matrix, (3, 4), from the world frame to homogeneous pixels."""
        return np.asarray(self.K @ np.hstack([self.R, self.t[:, None]]))

    def points(self) -> Tensor:
        """Return the world coordinates of all pixels, (3, h, w); infinite where unknown."""
        height, width = self.w.shape
        u = torch.arange(width, device=self.w.device) + 0.5
        v = torch.arange(height, device=self.w.device)[:, None] + 0.5
        rays = self.R.T @ np.linalg.inv(self.K)
        centre = self.centre()
        depth = self.w.reciprocal()
        return torch.stack(
            [
                (float(a) * u + float(b) * v + float(c)) * depth + float(o)
                for (a, b, c), o in zip(rays, centre, strict=True)
            ]
        )


@dataclass(frozen=True)
class SeenSurface:
    """The surface that a view sees."""

    points: Tensor
    """(3, h, w) in the world frame; infinite where unknown."""
    normals: Tensor
    """(3, h, w) unit vectors, in the world frame."""
    w: Tensor
    """(h, w) inverse depth."""
    centre: Array
    """(3,) of projection, in the world frame."""
    along: Tensor
    """(h, w) how far the world's origin is from each point against its normal."""
    across: Tensor
    """(h, w) how far the camera is from each point along its normal, in depths of the point."""

    @classmethod
    def of(cls, points: Tensor, normals: Tensor, w: Tensor, centre: Array) -> "SeenSurface":
        """Gather what all other views are asked about: points and normals (3, h, w), inverse depths (h, w), and the camera's centre, (3,)."""
        along = (normals * points).sum(dim=0)
        across = (_along(normals, centre) - along).mul_(w).clamp_(min=LEAST_ACROSS)
        return cls(points, normals, w, centre, along, across)


@dataclass(frozen=True)
class Opinion:
    """What another view says about the surface that a view sees."""

    agrees: Tensor
    """(h, w), bool: it sees the same surface there."""
    change: Tensor
    """(h, w): what it would add to the inverse depth; meaningless where it does not agree."""


@dataclass
class Opinions:
    """What all other views say about the surface that a view sees."""

    count: Tensor
    """(h, w): how many see the same surface."""
    change: Tensor
    """(h, w): the sum of what these would add to the inverse depth."""
    asked: int = 0

    @classmethod
    def none(cls, surface: SeenSurface) -> "Opinions":
        """Return those of no view."""
        return cls(torch.zeros_like(surface.w), torch.zeros_like(surface.w))

    def ask(self, surface: SeenSurface, other: DepthMap) -> None:
        """Add the opinion of another view."""
        self.asked += 1
        if surface.w.device.type == "cpu":
            self._ask_on_cpu(surface, other)
        else:
            self.add(opinion(surface, other))

    def add(self, said: Opinion) -> None:
        """Add an opinion."""
        self.count += said.agrees
        self.change += torch.where(said.agrees, said.change, 0.0)

    def mean_change(self) -> Tensor:
        """Return what is to be added to the inverse depth, (h, w), for the mean of all who agree, the view itself among them."""
        return self.change / (self.count + 1)

    def _ask_on_cpu(self, surface: SeenSurface, other: DepthMap) -> None:
        seen = (surface.points, surface.normals, surface.w, surface.along, surface.across)
        add_opinion(
            tuple(image.contiguous().numpy() for image in seen),
            other.projection().astype(np.float32),
            other.centre().astype(np.float32),
            np.pad(other.w.numpy(), 1),
            (TOLERANCE_DEPTH, TOLERANCE_PX / pixels_per_inverse_depth(other, surface.centre)),
            MOST_TILTED,
            self.count.numpy(),
            self.change.numpy(),
        )


def opinion(surface: SeenSurface, other: DepthMap) -> Opinion:
    """Ask another view about the surface that a view sees.

    A point is projected into the other view. It agrees where what it sees there differs by at most `TOLERANCE_DEPTH` in
    depth, and the difference moves the point by at most `TOLERANCE_PX` for the first view: the geometric filtering of
    Yao et al., "MVSNet: Depth Inference for Unstructured Multi-view Stereo", ECCV 2018.
    """
    u, v, z = _projected(surface.points, other)
    expected = z.reciprocal()
    height, width = other.w.shape
    grid = torch.stack((u.mul_(expected).mul_(2 / width).sub_(1), v.mul_(expected).mul_(2 / height).sub_(1)), dim=-1)
    difference = torch.nn.functional.grid_sample(
        other.w[None, None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0, 0].sub_(expected)
    most = (expected * TOLERANCE_DEPTH).clamp_(max=TOLERANCE_PX / pixels_per_inverse_depth(other, surface.centre))
    agrees = difference.abs() <= most  # never behind the other view, where the most is below zero
    # A surface that is shifted along its normal shifts by 1 / (normal . ray) along a ray that advances by one in depth,
    # and by w^2 times that in inverse depth.
    across = (_along(surface.normals, other.centre()) - surface.along).mul_(expected)
    tilt = across.div_(surface.across).clamp_(0, MOST_TILTED)
    return Opinion(agrees, difference.mul_(tilt).mul_(z.mul_(surface.w).square_()))


def confirmed(agreeing: Tensor, asked: int, score: Tensor) -> Tensor:
    """Say which depths are confirmed, (h, w), bool, by how many of the views that were asked agree, (h, w), and the correlation, (h, w)."""
    by_several = (agreeing >= min(LEAST_AGREEING, asked)) & (score >= LEAST_SCORE)
    return by_several | ((agreeing >= 1) & (score >= SURE_SCORE))


def _projected(points: Tensor, view: DepthMap) -> tuple[Tensor, Tensor, Tensor]:
    """Return the homogeneous pixels, (h, w) each, of points (3, h, w) of the world frame in a view."""
    P = torch.from_numpy(view.projection()).to(points)
    u, v, z = torch.addmm(P[:, 3:], P[:, :3], points.flatten(1)).view(points.shape)
    return u, v, z


def _along(normals: Tensor, point: Array) -> Tensor:
    """Return the products of normals, (3, h, w), with one point, (3,): (h, w)."""
    return (torch.from_numpy(point).to(normals) @ normals.flatten(1)).view(normals.shape[1:])


def pixels_per_inverse_depth(view: DepthMap, centre: Array) -> float:
    """Return by how many pixels a unit of inverse depth in `view` moves a point as seen from `centre`, (3,) in the world frame.

    To first order: focal length times the distance between the two cameras across the line of sight.
    """
    baseline = view.R @ centre + view.t
    return float(view.K[0, 0]) * float(np.linalg.norm(baseline[:2]) + 1e-12)
