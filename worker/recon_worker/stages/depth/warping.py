"""Looking up, for every pixel of a view at a given inverse depth, what another view shows of that point."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_worker.stages.depth.view import View

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Warp:
    """The map from a reference view's pixels to a source view at one level of the pyramid.

    The point at pixel p = (u, v, 1) and inverse depth w is at  A p + w b  in homogeneous pixels of the source image.
    """

    image: Tensor
    """(m, n) luminance of the source."""
    A: Array
    """(3, 3), from pixels to pixels, whose centres are at +0.5."""
    b: Array
    """(3,) in pixels and the world's unit, as w is one over it."""
    size: tuple[int, int]
    """Height and width of the reference."""

    @classmethod
    def between(cls, reference: View, source: View, level: int) -> "Warp":
        """Prepare the map from `reference` to `source`."""
        onto = source.intrinsics(level)
        turn = source.R @ reference.R.T
        A = onto @ turn @ np.linalg.inv(reference.intrinsics(level))
        height, width = reference.pyramid[level].shape
        return cls(source.pyramid[level], A, onto @ (source.t - turn @ reference.t), (height, width))

    def sample(self, w: Tensor) -> Tensor:
        """Return the source's luminance for inverse depths `w`, (h, w) or, for d planes, (d, 1, 1); zero outside it.

        The result is (h, w) or (d, h, w).
        """
        x, y, z = self._projected(w)
        z = z.clamp_(min=1e-6).reciprocal_()
        height, width = self.image.shape
        # From -1 to 1, edge to edge.
        grid = torch.stack((x.mul_(z).mul_(2 / width).sub_(1), y.mul_(z).mul_(2 / height).sub_(1)), dim=-1)
        found = torch.nn.functional.grid_sample(
            self.image[None, None],
            grid.view(1, -1, z.shape[-1], 2),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )
        return found.view(z.shape)

    def shows(self, w: Tensor, margin_px: int = 0) -> Tensor:
        """Return which points at inverse depths `w`, (h, w), are within the source's frame, occluded there or not: (h, w), bool.

        The frame is widened by `margin_px` pixels of the source on each side.
        """
        x, y, z = self._projected(w)
        height, width = self.image.shape
        left, right, below = -margin_px * z, (width + margin_px) * z, (height + margin_px) * z
        return (z > 0) & (x > left) & (y > left) & (x < right) & (y < below)

    def _projected(self, w: Tensor) -> tuple[Tensor, ...]:
        """Return the homogeneous pixels of the source, three of the shape of `w`, or (d, h, w), for inverse depths `w`."""
        return tuple(row.add(w, alpha=float(b)) for row, b in zip(self._rows, self.b, strict=True))

    @cached_property
    def _rows(self) -> tuple[Tensor, ...]:
        """The coordinates of A p, (h, w) each, float32."""
        height, width = self.size
        u = torch.arange(width, device=self.image.device, dtype=torch.float64) + 0.5
        v = torch.arange(height, device=self.image.device, dtype=torch.float64)[:, None] + 0.5
        return tuple((a * u + (b * v + c)).float() for a, b, c in self.A.tolist())

    def pixels_per_inverse_depth(self, w: float) -> float:
        """Return by how many source pixels the middle pixel moves for a unit of inverse depth, near inverse depth `w`."""
        height, width = self.size
        a = self.A @ (width // 2 + 0.5, height // 2 + 0.5, 1.0)
        motion = (self.b[:2] * a[2] - a[:2] * self.b[2]) / (a[2] + w * self.b[2]) ** 2
        return float(np.hypot(*motion))
