"""Keeping what several depth maps agree on, as one cloud of points with normals and colours.

The artefact: `points.ply`, in the world frame.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.cameras import CameraSet
from recon_worker.ply import NO_FACES, Surface, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import estimate_depth, estimate_poses
from recon_worker.stages.depth.consistency import DepthMap, agreement
from recon_worker.stages.depth.normals import normals_of
from recon_worker.stages.estimate_depth import SavedDepth, load_region
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.object_region import Region
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.view_selection import select_sources
from recon_worker.stages.voxel_grid import Samples, merge_samples

STAGE = "fuse_depths"
POINTS = "points.ply"

CHECKED_AGAINST = 8
"""Views that each depth map is compared with."""

LEAST_AGREEING = 2
"""Of those, so many must see the same surface: one may be wrong in the same way by chance."""

LEAST_SCORE = 0.4
"""Correlation below which a depth is not believed."""

LEAST_POINTS = 500


def fuse_depths(scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress) -> Mapping[str, Any]:
    """Fuse all depth maps; return how many points there are, from how many samples.

    Raises UsageError(INSUFFICIENT_OVERLAP) where the maps agree on hardly anything.
    """
    saved = {int(path.stem): SavedDepth.load(path) for path in _files(scene.folder(estimate_depth.STAGE))}
    region = load_region(scene.folder(estimate_depth.STAGE))
    device = device_in_use()
    maps = {number: DepthMap(torch.from_numpy(one.w).to(device), one.K, one.R, one.t) for number, one in saved.items()}
    neighbours = _neighbours(scene)
    samples: dict[int, Samples] = {}

    def check_view(number: int, check: Callable[[], None]) -> None:
        others = [maps[other] for other in neighbours[number] if other in maps]
        samples[number] = _agreed(saved[number], maps[number], others, region, check)

    for_each(sorted(maps), check_view, device, progress.part(0.0, 0.7))
    everything = Samples.concatenate([samples[number] for number in sorted(samples)])
    if len(everything.xyz) < LEAST_POINTS:
        raise UsageError(
            reasons.INSUFFICIENT_OVERLAP,
            "the photos were placed, but no surface could be measured in them; take photos closer together, in even "
            "light, of an object that is neither plain, shiny nor transparent",
        )
    cell = float(np.median([_footprint(one, region) for one in saved.values()]))
    progress.tick(0.75)
    merged = merge_samples(everything, cell)
    progress.tick(0.95)
    write_ply(folder / POINTS, Surface(merged.xyz, merged.normals, merged.rgb, NO_FACES))
    return {"samples": len(everything.xyz), "points": len(merged.xyz), "spacing": cell}


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.npz"))


def _neighbours(scene: Scene) -> list[list[int]]:
    posed = scene.folder(estimate_poses.STAGE)
    centres = np.array([camera.centre() for camera in CameraSet.load(posed).cameras])
    sparse = SparsePoints.load(posed)
    return select_sources(centres, sparse.xyz, sparse.tracks, CHECKED_AGAINST)


def _footprint(one: SavedDepth, region: Region) -> float:
    """Return the size of a pixel at the distance of the region's centre."""
    depth = float((one.R @ region.centre + one.t)[2])
    return depth / float(one.K[0, 0])


def _agreed(
    one: SavedDepth, depth: DepthMap, others: list[DepthMap], region: Region, check: Callable[[], None]
) -> Samples:
    """Return the pixels of one view that enough other views confirm."""
    points = depth.points()
    centre = -depth.R.T @ depth.t
    count = torch.zeros(depth.w.shape, dtype=torch.int8, device=depth.w.device)
    for other in others:
        check()
        count += agreement(points, centre, other)
    normals, cosine = normals_of(points, centre)
    score = torch.from_numpy(one.score.astype(np.float32)).to(depth.w.device)
    keep = (count >= min(LEAST_AGREEING, len(others))) & (score >= LEAST_SCORE) & (cosine > 0.1)
    check()
    return _samples(one, points, normals, keep, score * cosine, region)


def _samples(one: SavedDepth, points: Tensor, normals: Tensor, keep: Tensor, weight: Tensor, region: Region) -> Samples:
    def chosen(image: Tensor) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = image[..., keep].cpu().numpy()
        return values

    xyz = chosen(points).T
    inside = region.contains(xyz)
    return Samples(
        xyz=xyz[inside],
        normals=chosen(normals).T[inside],
        rgb=one.rgb[keep.cpu().numpy()][inside],
        weights=chosen(weight)[inside],
    )
