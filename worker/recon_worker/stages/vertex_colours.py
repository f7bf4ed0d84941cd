"""Colouring a mesh's vertices from all photos that see them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.geometry.ply import Surface
from recon_worker.progress import Progress
from recon_worker.stages.background import Check
from recon_worker.stages.estimate_depth import load_map

SAME_SURFACE = 0.01
"""A photo sees a vertex where its depth map is this near to it, as a share of the depth."""

LEAST_COSINE = 0.2
"""Photos that see the surface more obliquely than this have smeared colours."""

OUTLIER = 30.0
"""Colours (0 to 255) so far from the mean of all photos count for 1/e: highlights, shadows and wrong visibility."""


@dataclass(frozen=True)
class ColourSource:
    """One photo with its camera and the file of its depth map."""

    photo: Path
    camera: PlacedCamera
    depth: Path


def coloured(surface: Surface, sources: Sequence[ColourSource], progress: Progress) -> Surface:
    """Return the surface with the colours that the photos show at its vertices; those that none shows keep theirs.

    A vertex gets the mean of the photos, weighted by how squarely they see it; then once more with less weight for those
    that are far from that mean: one step of reweighted least squares with Welsch's weights (Holland and Welsch, "Robust
    Regression Using Iteratively Reweighted Least-Squares", Communications in Statistics, 1977).
    """
    xyz, normals = torch.from_numpy(surface.xyz), torch.from_numpy(surface.normals)
    seen = []
    for done, source in enumerate(sources):
        progress.tick(done / max(len(sources), 1))
        seen.append(_colours_in(source, xyz, normals))
    mean = _weighted_mean(iter(seen), len(xyz), progress.check_cancelled)
    robust = _weighted_mean(_without_outliers(seen, mean), len(xyz), progress.check_cancelled)
    rgb = np.where(np.isfinite(robust), np.rint(robust), surface.rgb).astype(np.uint8)
    return Surface(surface.xyz, surface.normals, rgb, surface.faces)


Seen = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Of k vertices: indices (k,), sRGB colours (k, 3) from 0 to 255, and weights (k,)."""


def _colours_in(source: ColourSource, xyz: Tensor, normals: Tensor) -> Seen:
    """Return what one photo shows of which vertices, (n, 3) with unit normals (n, 3), float32 in the world frame."""
    depth = load_map(source.depth, xyz.device)
    K, size = source.camera.intrinsics(), (source.camera.height, source.camera.width)
    grid, z = _projected(xyz, K, depth.R, depth.t, size)
    map_grid, _ = _projected(xyz, depth.K, depth.R, depth.t, tuple(depth.w.shape))
    centre = torch.from_numpy(source.camera.centre()).float()
    cosine = (torch.nn.functional.normalize(centre - xyz, dim=1) * normals).sum(dim=1)
    w = _looked_up(depth.w[None], map_grid)[0]
    visible = ((w * z - 1).abs() < SAME_SURFACE) & (cosine > LEAST_COSINE) & (z > 0)
    index = visible.nonzero()[:, 0]
    with Image.open(source.photo) as photo:
        pixels = torch.from_numpy(np.array(photo.convert("RGB"))).permute(2, 0, 1).float()
    colours = _looked_up(pixels, grid[index]).T
    return index.numpy(), colours.numpy(), (cosine[index] ** 2).numpy()


def _projected(
    xyz: Tensor, K: npt.NDArray[np.float64], R: npt.NDArray[np.float64], t: npt.NDArray[np.float64], size: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Return where points (n, 3) of the world frame are in an image, (n, 2), and their depths, (n,).

    Places go from -1 to 1 from edge to edge, x to the right and y down; `size` is the image's height and width in pixels.
    `K` (3, 3), `R` (3, 3) and `t` (3,) are the camera's.
    """
    P = torch.from_numpy(K @ np.hstack([R, t[:, None]])).float()
    u, v, z = (xyz @ P[:, :3].T + P[:, 3]).unbind(dim=1)
    return torch.stack((2 * u / (z * size[1]) - 1, 2 * v / (z * size[0]) - 1), dim=1), z


def _looked_up(image: Tensor, grid: Tensor) -> Tensor:
    """Return the values of an image (c, h, w) at places (n, 2) from -1 to 1, bilinearly: (c, n); zero outside."""
    return torch.nn.functional.grid_sample(
        image[None], grid[None, :, None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0, :, :, 0]


def _weighted_mean(seen: Iterator[Seen], count: int, check: Check) -> npt.NDArray[np.float64]:
    """Return the mean colour of each of n vertices, (n, 3), 0 to 255; nan for those that no photo shows."""
    totals, sums = np.zeros(count), np.zeros((count, 3))
    for index, colours, weights in seen:
        check()
        totals[index] += weights
        sums[index] += colours * weights[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / totals[:, None])


def _without_outliers(seen: Sequence[Seen], mean: npt.NDArray[np.float64]) -> Iterator[Seen]:
    """Yield the same with less weight for colours that are far from their vertices' mean, (n, 3), 0 to 255."""
    for index, colours, weights in seen:
        distance = np.linalg.norm(colours - mean[index], axis=1) / OUTLIER
        yield index, colours, weights * (np.exp(-(distance**2)) + 1e-3).astype(np.float32)
