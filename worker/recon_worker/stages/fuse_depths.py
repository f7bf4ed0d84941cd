"""Keeping what several depth maps agree on, as one cloud of points with normals and colours.

The artefact: `points.ply`, in the world frame.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import JobWarning
from recon_worker.geometry.cameras import CameraSet
from recon_worker.geometry.ply import NO_FACES, Surface, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import estimate_depth, estimate_poses
from recon_worker.stages.background import Check, wait_for
from recon_worker.stages.depth.consistency import DepthMap, Opinions, SeenSurface, confirmed
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.normals import normals_of
from recon_worker.stages.estimate_depth import SavedDepth, load_map, load_region, save_map, saved_maps
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.ground_plane import ground_plane
from recon_worker.stages.object_region import Region
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.stages.parameters import Ground, MultiViewParameters
from recon_worker.stages.view_selection import select_sources
from recon_worker.stages.voxel_grid import MergedSamples, Samples

STAGE = "fuse_depths"
POINTS = "points.ply"

CELL_PX = 1.5
"""Size of the cells in which points are merged, in pixels at the object's distance."""

LEAST_COSINE = 0.1
"""Of the angle between normal and line of sight; below it a surface is seen too obliquely."""

CHECKED_AGAINST = 8
"""Views that each depth map is compared with."""

LEAST_POINTS = 500

UP = np.array([0.0, 1.0, 0.0])
"""In the world frame."""

GROUND_TILT_DEG = 10.0
"""How far the ground that is removed may be from level."""

GROUND_CELLS = 2.0
"""Cells of the merged points above the ground's own thickness that are removed with it: grass, the edge of a mat."""

MOST_IN_MEMORY = 128
"""Depth maps that are kept at a time: a map is compared with others of about the same number."""

GROUND_NOT_FOUND = (
    "no ground was removed: none was found that is level, holds much of what the photos show and has an object on it; hide it in the "
    "photos by masks instead"
)


def fuse_depths(scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress) -> Mapping[str, Any]:
    """Fuse all depth maps; return how many points there are, from how many samples.

    Raises UsageError(SURFACE_NOT_MEASURED) where the maps agree on hardly anything.
    """
    saved = saved_maps(scene.folder(estimate_depth.STAGE))
    region = load_region(scene.folder(estimate_depth.STAGE))
    device = device_in_use()
    load = lru_cache(MOST_IN_MEMORY)(lambda number: load_map(saved[number], device))
    cell = CELL_PX * float(np.median([_footprint(load(number), region, progress.check_cancelled) for number in saved]))
    neighbours = _neighbours(scene, progress.check_cancelled)
    merging = MergedSamples(cell, sorted(saved))
    with TemporaryDirectory(dir=folder) as kept:

        def check_view(number: int, check: Check) -> None:
            others = (load(other) for other in neighbours[number] if other in saved)
            samples, agreed = _agreed(SavedDepth.load(saved[number]), load(number), others, region, check)
            merging.add(number, samples, check)
            save_map(_kept(kept, number), agreed)

        for_each(sorted(saved), check_view, device, progress.part(0.0, 0.75))
        _check_measured(merging.added)
        merged = wait_for(merging.result, progress)
        agreed = (load_map(_kept(kept, number), device) for number in sorted(saved))
        merged = _without_contradicted(merged, agreed, len(saved), device, progress.part(0.85, 0.95))
    if parameters.ground is Ground.REMOVE:
        merged = _without_ground(merged, cell, progress)
    write_ply(folder / POINTS, Surface(merged.xyz, merged.normals, merged.rgb, NO_FACES))
    return {"samples": merging.added, "points": len(merged), "spacing": cell}


def _without_ground(samples: Samples, cell: float, progress: Progress) -> Samples:
    """Return the points above the ground; all, with a warning, where none is found or hardly anything stands on it."""
    ground = ground_plane(samples.xyz, UP, GROUND_TILT_DEG)
    if ground is not None:
        above = ground.heights(samples.xyz) > ground.tolerance + GROUND_CELLS * cell
        if above.sum() >= LEAST_POINTS:
            return samples.chosen(above)
    progress.warn(JobWarning(reason=reasons.GROUND_NOT_FOUND.name, message=GROUND_NOT_FOUND))
    return samples


def _kept(folder: str, number: int) -> Path:
    """Return the file of what a view has agreed on with others."""
    return Path(folder, f"{number:05d}.npz")


def _check_measured(samples: int) -> None:
    if samples < LEAST_POINTS:
        raise UsageError(
            reasons.SURFACE_NOT_MEASURED,
            "the photos were placed, but no surface could be measured in them; take photos closer together, in even "
            "light, of an object that is neither plain, shiny nor transparent",
        )


def _neighbours(scene: Scene, check: Check) -> list[list[int]]:
    posed = scene.folder(estimate_poses.STAGE)
    centres = np.array([camera.centre() for camera in CameraSet.load(posed).cameras])
    sparse = SparsePoints.load(posed)
    return select_sources(centres, sparse.xyz, sparse.tracks, CHECKED_AGAINST, check)


def _footprint(one: DepthMap, region: Region, check: Check) -> float:
    """Return the size of a map's pixel, in the world's unit, at the object's distance, or at the median one of a whole scene."""
    check()
    if region.whole_scene:
        known = one.w[one.w > 0]
        depth = 1 / max(float(known.median()), 1e-9) if len(known) else 0.0
    else:
        depth = float((one.R @ region.centre + one.t)[2])
    return depth / float(one.K[0, 0])


def _agreed(
    one: SavedDepth, depth: DepthMap, others: Iterable[DepthMap], region: Region, check: Check
) -> tuple[Samples, DepthMap]:
    """Return the pixels of one view that enough other views confirm, and its depth map with zeros elsewhere."""
    points = depth.points()
    check()
    centre = depth.centre()
    normals, _ = normals_of(points, centre)
    surface = SeenSurface.of(points, normals, depth.w, centre)
    opinions = Opinions.none(surface)
    for other in others:
        check()
        opinions.ask(surface, other)
    check()
    agreed = DepthMap(depth.w + opinions.mean_change(), depth.K, depth.R, depth.t)
    points = agreed.points()
    normals, cosine = normals_of(points, centre)
    check()
    score = torch.from_numpy(one.score.astype(np.float32)).to(depth.w.device)
    keep = confirmed(opinions.count, opinions.asked, score) & (cosine > LEAST_COSINE)
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


def _without_contradicted(
    samples: Samples, maps: Iterable[DepthMap], count: int, device: torch.device, progress: Progress
) -> Samples:
    """Return the points that no noteworthy part of the views sees through. There are `count` maps."""
    xyz = torch.from_numpy(samples.xyz).to(device)
    votes = Votes.of(xyz, maps, count, progress)
    return samples.chosen(votes.keep().cpu().numpy())
