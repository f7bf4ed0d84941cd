"""Keeping what several depth maps agree on, as one cloud of points with normals and colours.

The artefact: `points.ply`, in the world frame.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.geometry.cameras import CameraSet
from recon_worker.geometry.ply import NO_FACES, Surface, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import estimate_depth, estimate_poses
from recon_worker.stages.background import Check, wait_for
from recon_worker.stages.depth.consistency import DepthMap, confirmed, opinion
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.normals import normals_of
from recon_worker.stages.estimate_depth import SavedDepth, load_region, saved_maps
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.object_region import Region
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.view_selection import select_sources
from recon_worker.stages.voxel_grid import Samples, merge_samples

STAGE = "fuse_depths"
POINTS = "points.ply"

CELL_PX = 1.5
"""Size of the cells in which points are merged, in pixels at the object's distance."""

LEAST_COSINE = 0.1
"""Of the angle between normal and line of sight; below it a surface is seen too obliquely."""

CHECKED_AGAINST = 8
"""Views that each depth map is compared with."""

LEAST_POINTS = 500


def fuse_depths(scene: Scene, folder: Path, _: MultiViewParameters, progress: Progress) -> Mapping[str, Any]:
    """Fuse all depth maps; return how many points there are, from how many samples.

    Raises UsageError(SURFACE_NOT_MEASURED) where the maps agree on hardly anything.
    """
    saved = {}
    for number, path in saved_maps(scene.folder(estimate_depth.STAGE)).items():
        progress.check_cancelled()
        saved[number] = SavedDepth.load(path)
    region = load_region(scene.folder(estimate_depth.STAGE))
    device = device_in_use()
    maps = {number: DepthMap(torch.from_numpy(one.w).to(device), one.K, one.R, one.t) for number, one in saved.items()}
    neighbours = _neighbours(scene, progress.check_cancelled)
    samples: dict[int, Samples] = {}
    kept: dict[int, DepthMap] = {}

    def check_view(number: int, check: Callable[[], None]) -> None:
        others = [maps[other] for other in neighbours[number] if other in maps]
        samples[number], kept[number] = _agreed(saved[number], maps[number], others, region, check)

    for_each(sorted(maps), check_view, device, progress.part(0.0, 0.7))
    count = sum(len(part.xyz) for part in samples.values())
    if count < LEAST_POINTS:
        raise UsageError(
            reasons.SURFACE_NOT_MEASURED,
            "the photos were placed, but no surface could be measured in them; take photos closer together, in even "
            "light, of an object that is neither plain, shiny nor transparent",
        )
    cell = CELL_PX * float(np.median([_footprint(one, region) for one in saved.values()]))
    progress.tick(0.75)
    merged = wait_for(partial(_merged, samples, cell), progress)
    merged = _without_contradicted(merged, kept, device, progress.part(0.85, 0.95))
    write_ply(folder / POINTS, Surface(merged.xyz, merged.normals, merged.rgb, NO_FACES))
    return {"samples": count, "points": len(merged.xyz), "spacing": cell}


def _neighbours(scene: Scene, check: Check) -> list[list[int]]:
    posed = scene.folder(estimate_poses.STAGE)
    centres = np.array([camera.centre() for camera in CameraSet.load(posed).cameras])
    sparse = SparsePoints.load(posed)
    return select_sources(centres, sparse.xyz, sparse.tracks, CHECKED_AGAINST, check)


def _footprint(one: SavedDepth, region: Region) -> float:
    """Return the size of a pixel, in the world's unit, at the object's distance, or at the median one of a whole scene."""
    if region.whole_scene:
        depth = 1 / max(float(np.median(one.w[one.w > 0])), 1e-9) if (one.w > 0).any() else 0.0
    else:
        depth = float((one.R @ region.centre + one.t)[2])
    return depth / float(one.K[0, 0])


def _agreed(
    one: SavedDepth, depth: DepthMap, others: list[DepthMap], region: Region, check: Callable[[], None]
) -> tuple[Samples, DepthMap]:
    """Return the pixels of one view that enough other views confirm, and its depth map with zeros elsewhere."""
    points = depth.points()
    check()
    centre = -depth.R.T @ depth.t
    normals, _ = normals_of(points, centre)
    count, change = torch.zeros_like(depth.w), torch.zeros_like(depth.w)
    for other in others:
        check()
        said = opinion(points, normals, centre, depth.w, other)
        count += said.agrees
        change += torch.where(said.agrees, said.change, 0.0)
    check()
    # The mean of all who agree, this view among them.
    agreed = DepthMap(depth.w + change / (count + 1), depth.K, depth.R, depth.t)
    points = agreed.points()
    normals, cosine = normals_of(points, centre)
    check()
    score = torch.from_numpy(one.score.astype(np.float32)).to(depth.w.device)
    keep = confirmed(count, len(others), score) & (cosine > LEAST_COSINE)
    check()
    kept = DepthMap(torch.where(keep, agreed.w, 0.0), depth.K, depth.R, depth.t)
    return _samples(one, points, normals, keep, score * cosine, region), kept


def _samples(one: SavedDepth, points: Tensor, normals: Tensor, keep: Tensor, weight: Tensor, region: Region) -> Samples:
    """Return the pixels to keep, (h, w) bool, that lie in the region, as k samples in the world frame.

    `points` and unit `normals` are (3, h, w), `weight` is (h, w); all are float32 in the world frame.
    """

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


def _merged(samples: Mapping[int, Samples], cell: float, check: Check) -> Samples:
    return merge_samples(Samples.concatenate([samples[number] for number in sorted(samples)]), cell, check)


def _without_contradicted(
    samples: Samples, kept: Mapping[int, DepthMap], device: torch.device, progress: Progress
) -> Samples:
    """Return the points that no noteworthy part of the views sees through."""
    xyz = torch.from_numpy(samples.xyz).to(device)
    votes = Votes.none(len(xyz), device)
    for done, number in enumerate(sorted(kept)):
        progress.tick(done / len(kept))
        votes.add(xyz, kept[number])
    return samples.chosen(votes.keep().cpu().numpy())
