"""Surface normals of a depth map."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_worker.stages.depth.compiled_normals import find_normals
from recon_worker.stages.depth.correlation import box_sum

REACH_PX = 2
"""Differences are taken over so many pixels to each side, after a mean over 3 x 3: depth is noisier than it is curved."""


def normals_of(points: Tensor, centre: npt.NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """Return unit normals towards the camera, (3, h, w) in the world frame, and their cosine to the line of sight, (h, w).

    `points` are the pixels' world coordinates, (3, h, w), `centre` is the camera's centre, (3,). At the image's border, where
    differences are one-sided or missing, the cosine is zero.
    """
    if points.device.type == "cpu":
        normals, cosine = torch.zeros_like(points), torch.zeros_like(points[0])
        find_normals(points.contiguous().numpy(), centre.astype(np.float32), REACH_PX, normals.numpy(), cosine.numpy())
        return normals, cosine
    return normals_by_tensors(points, centre)


def normals_by_tensors(points: Tensor, centre: npt.NDArray[np.float64]) -> tuple[Tensor, Tensor]:
    """Return the same, (3, h, w) and (h, w), for points (3, h, w) and a centre (3,), on any device."""
    smooth = box_sum(points, 1) / 9
    du = torch.zeros_like(points)
    dv = torch.zeros_like(points)
    du[:, :, REACH_PX:-REACH_PX] = smooth[:, :, 2 * REACH_PX :] - smooth[:, :, : -2 * REACH_PX]
    dv[:, REACH_PX:-REACH_PX] = smooth[:, 2 * REACH_PX :] - smooth[:, : -2 * REACH_PX]
    # u is to the right and v down, so this order points to the camera.
    normals = _cross(dv, du)
    normals /= _length(normals)
    sight = torch.tensor(centre, dtype=points.dtype, device=points.device)[:, None, None] - points
    cosine = (normals * sight).sum(dim=0) / _length(sight)
    border = REACH_PX + 1
    inner = torch.zeros_like(cosine)
    inner[border:-border, border:-border] = cosine[border:-border, border:-border]
    return normals, inner.nan_to_num_(0.0)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Return the cross products of (3, h, w) and (3, h, w). Torch's own takes three times as long along the first axis."""
    parts = [(a[i] * b[j]).addcmul_(a[j], b[i], value=-1) for i, j in ((1, 2), (2, 0), (0, 1))]
    return torch.stack(parts)


def _length(vectors: Tensor) -> Tensor:
    """Return the lengths of (3, h, w): (h, w), above zero. Torch's own norm takes ten times as long along the first axis."""
    return vectors.square().sum(dim=0).sqrt_().clamp_(min=1e-12)
