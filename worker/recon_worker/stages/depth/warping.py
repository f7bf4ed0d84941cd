"""Looking up, for every pixel of a view at a given inverse depth, what another view shows of that point."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recon_worker.stages.depth.view import View


@dataclass(frozen=True)
class Warp:
    """The map from a reference view's pixels to a source view at one level of the pyramid.

    The point at pixel p = (u, v, 1) and inverse depth w is at  A p + w b  in homogeneous, normalised coordinates of the
    source image (-1 to 1 from edge to edge). `A p` is kept as three images, one for each coordinate.
    """

    image: Tensor
    """(1, 1, m, n) luminance of the source, of m x n pixels."""
    ax: Tensor
    """(h, w) x of A p."""
    ay: Tensor
    """(h, w) y of A p."""
    az: Tensor
    """(h, w) z of A p."""
    b: tuple[float, float, float]
    """In the world's unit, as w is one over it."""

    @classmethod
    def between(cls, reference: View, source: View, level: int) -> "Warp":
        """Prepare the map from `reference` to `source`."""
        image = source.pyramid[level]
        height, width = reference.pyramid[level].shape
        normalise = np.array([[2 / image.shape[1], 0, -1], [0, 2 / image.shape[0], -1], [0, 0, 1]])
        onto = normalise @ source.intrinsics(level)
        turn = source.R @ reference.R.T
        A = onto @ turn @ np.linalg.inv(reference.intrinsics(level))
        bx, by, bz = (onto @ (source.t - turn @ reference.t)).tolist()
        u = torch.arange(width, device=image.device, dtype=torch.float64) + 0.5
        v = torch.arange(height, device=image.device, dtype=torch.float64)[:, None] + 0.5
        ax, ay, az = ((row[0] * u + row[1] * v + row[2]).float() for row in A)
        return cls(image[None, None], ax, ay, az, (bx, by, bz))

    def sample(self, w: Tensor) -> Tensor:
        """Return the source's luminance for inverse depths `w`, (h, w) or, for d planes, (d, 1, 1); zero outside it.

        The result is (h, w) or (d, h, w).
        """
        bx, by, bz = self.b
        z = (self.az + w * bz).clamp_(min=1e-6).reciprocal_()
        grid = torch.empty((*z.shape, 2), device=z.device)
        torch.mul(torch.add(self.ax, w, alpha=bx), z, out=grid[..., 0])
        torch.mul(torch.add(self.ay, w, alpha=by), z, out=grid[..., 1])
        found = torch.nn.functional.grid_sample(
            self.image, grid.view(1, -1, z.shape[-1], 2), mode="bilinear", padding_mode="zeros", align_corners=False
        )
        return found.view(z.shape)

    def pixels_per_inverse_depth(self, w: float) -> float:
        """Return by how many source pixels the middle pixel moves for a unit of inverse depth, near inverse depth `w`."""
        row, column = self.az.shape[0] // 2, self.az.shape[1] // 2
        ax, ay, az = (float(a[row, column]) for a in (self.ax, self.ay, self.az))
        bx, by, bz = self.b
        z = az + w * bz
        dx, dy = (bx * az - ax * bz) / z**2, (by * az - ay * bz) / z**2
        return float(np.hypot(dx * self.image.shape[3] / 2, dy * self.image.shape[2] / 2))
