"""A view: the part of one undistorted photo that gets a depth map, at the resolution that depth is estimated at."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.stages.depth.bounds import LEAST_SIDE_PX, Box, DepthBounds
from recon_worker.stages.depth.plain_areas import plain_areas

Array = npt.NDArray[np.float64]

LEVELS = 3
"""Resolutions of a view: whole, half, quarter."""

MULTIPLE_PX = 2 ** (LEVELS - 1)
"""Sides are multiples of this, so that every level is exactly half of the one before."""


@dataclass(frozen=True)
class View:
    """One view, with its pinhole camera at each resolution."""

    pyramid: tuple[Tensor, ...]
    """Luminance 0 to 1, float32, (h, w); whole, half, quarter resolution."""
    rgb: npt.NDArray[np.uint8]
    """(h, w, 3) sRGB at the whole resolution."""
    K: Array
    """(3, 3) from the camera's frame to pixels at the whole resolution, whose centres are at +0.5."""
    R: Array
    """(3, 3) from the world's axes to the camera's."""
    t: Array
    """(3,) in the world's unit: X_camera = R X_world + t."""
    nearest: float
    farthest: float
    """Bounds of depth, in the world's unit."""
    shown: Tensor | None = None
    """(h, w), bool, at the whole resolution: what the photo's mask does not hide; None without a mask."""

    @cached_property
    def measurable(self) -> Tensor:
        """Return the pixels whose depth can be measured, (h, w), bool, at the whole resolution: neither plain nor hidden by a mask."""
        textured = ~plain_areas(self.pyramid[0])
        return textured if self.shown is None else textured & self.shown

    def intrinsics(self, level: int) -> Array:
        """Return K, (3, 3), at a level of the pyramid."""
        scaled = self.K.copy()
        scaled[:2] /= 2**level
        return scaled


def load_view(folder: Path, camera: PlacedCamera, bounds: DepthBounds, device: torch.device) -> View:
    """Read the part of a photo in the artefact's folder that gets a depth map. Photos are never enlarged."""
    box = bounds.box
    sides = box[2] - box[0], box[3] - box[1]
    with Image.open(folder / camera.file) as photo:
        width, height = (max(LEAST_SIDE_PX, MULTIPLE_PX * round(bounds.scale * side / MULTIPLE_PX)) for side in sides)
        size = width, height
        rgb = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.BOX, box=box))
    return View(
        pyramid=_pyramid(_luminance(rgb).to(device)),
        rgb=rgb,
        K=_cropped(camera, box, size),
        R=camera.rotation(),
        t=camera.translation(),
        nearest=bounds.nearest,
        farthest=bounds.farthest,
        shown=_shown(folder / camera.mask_file, box, size, device),
    )


def _shown(mask: Path, box: Box, size: tuple[int, int], device: torch.device) -> Tensor | None:
    """Return which pixels of the box, scaled to a size of (width, height), its mask shows whole, (h, w); None without a mask."""
    if not mask.exists():
        return None
    with Image.open(mask) as opened:
        levels = np.asarray(opened.resize(size, Image.Resampling.BOX, box=box))
    return torch.from_numpy(levels == 255).to(device)


def _cropped(camera: PlacedCamera, box: Box, size: tuple[int, ...]) -> Array:
    """Return K, (3, 3), of the photo's part within a box (pixels), scaled to a size of (width, height) pixels."""
    sx, sy = size[0] / (box[2] - box[0]), size[1] / (box[3] - box[1])
    cx, cy = (camera.cx - box[0]) * sx, (camera.cy - box[1]) * sy
    return np.array([[camera.fx * sx, 0.0, cx], [0.0, camera.fy * sy, cy], [0.0, 0.0, 1.0]])


def _luminance(rgb: npt.NDArray[np.uint8]) -> Tensor:
    """Return the luminance, (h, w), 0 to 1, of sRGB bytes (h, w, 3), by the weights of ITU-R BT.601."""
    weights = torch.tensor([0.299, 0.587, 0.114])
    return torch.from_numpy(rgb.astype(np.float32) / 255.0) @ weights


def _pyramid(gray: Tensor) -> tuple[Tensor, ...]:
    """Return an image, (h, w), at each level's resolution, by means of 2 x 2 pixels."""
    levels = [gray.contiguous()]
    for _ in range(LEVELS - 1):
        levels.append(torch.nn.functional.avg_pool2d(levels[-1][None, None], 2)[0, 0].contiguous())
    return tuple(levels)
