"""Free space: a point in front of a surface that other views see through it is not there.

As Merrell et al., "Real-Time Visibility-Based Fusion of Depth Maps", ICCV 2007, weigh support against free-space violations.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recon_worker.progress import Progress
from recon_worker.stages.depth.compiled_votes import add_votes
from recon_worker.stages.depth.consistency import DepthMap

SAME_SURFACE = 0.006
"""A view supports a point where it sees a surface this near to it, as a share of the depth."""

CLEARLY_BEHIND = 0.012
"""A view contradicts a point where it sees a surface farther behind it than this share of the depth."""

LEAST_SUPPORT = 2
"""Views, of which one is that which measured the point."""

MOST_CONTRADICTION = 0.34
"""Views that contradict a point, as a share of those that support it, above which the point is taken away."""


@dataclass
class Votes:
    """For each of n points, how many views see a surface there, and how many see through it."""

    support: Tensor
    """(n,) number of views that see a surface there."""
    contradiction: Tensor
    """(n,) number of views that see through it."""

    @classmethod
    def none(cls, count: int, device: torch.device) -> "Votes":
        """Return no votes for so many points."""
        return cls(torch.zeros(count, device=device), torch.zeros(count, device=device))

    @classmethod
    def of(cls, xyz: Tensor, maps: Iterable[DepthMap], count: int, progress: Progress) -> "Votes":
        """Return the votes of `count` depth maps on points (n, 3) of the world frame; each map ticks the progress."""
        votes = cls.none(len(xyz), xyz.device)
        for done, view in enumerate(maps):
            progress.tick(done / count)
            votes.add(xyz, view)
        return votes

    def keep(self) -> Tensor:
        """Say which points stay: (n,), bool."""
        enough = self.support >= LEAST_SUPPORT
        return enough & (self.contradiction <= MOST_CONTRADICTION * self.support)

    def add(self, xyz: Tensor, view: DepthMap) -> None:
        """Let one view vote on points (n, 3) of the world frame. Its inverse depths are zero where it has no opinion.

        For a contradiction the nearest surface of the 3 x 3 pixels around counts, so that a point at an edge is not
        lost for a pixel.
        """
        if xyz.device.type == "cpu":
            points, seen = xyz.contiguous().numpy(), view.w.contiguous().numpy()
            votes = self.support.numpy(), self.contradiction.numpy()
            add_votes(points, view.projection().astype(np.float32), seen, SAME_SURFACE, CLEARLY_BEHIND, *votes)
        else:
            self.add_by_tensors(xyz, view)

    def add_by_tensors(self, xyz: Tensor, view: DepthMap) -> None:
        """Do the same, for points (n, 3), on any device."""
        P = torch.from_numpy(view.projection()).to(xyz)
        u, v, z = (xyz @ P[:, :3].T + P[:, 3]).unbind(dim=1)
        height, width = view.w.shape
        grid = torch.stack((2 * u / (z * width) - 1, 2 * v / (z * height) - 1), dim=-1)[None, :, None]
        nearest = torch.nn.functional.max_pool2d(view.w[None, None], 3, stride=1, padding=1)
        seen, front = (_looked_up(image, grid) for image in (view.w[None, None], nearest))
        ratio = seen * z
        self.support += ((ratio - 1).abs() <= SAME_SURFACE) & (z > 0)
        self.contradiction += (front > 0) & (front * z < 1 - CLEARLY_BEHIND) & (z > 0)


def _looked_up(image: Tensor, grid: Tensor) -> Tensor:
    """Return an image's nearest pixels, (n,), at places from -1 to 1; zero outside.

    The image is (1, 1, h, w), the places are (1, n, 1, 2).
    """
    found = torch.nn.functional.grid_sample(image, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return found[0, 0, :, 0]
