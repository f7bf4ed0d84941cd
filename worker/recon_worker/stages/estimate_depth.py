"""A depth map for every placed photo that shows the object, or for all of them where the whole scene is reconstructed.

The artefact: `region.npz` (centre and radius of the ball that the maps cover, and whether that is the whole scene) and, for each photo, `<number>.npz` with
`w` (inverse depth, float32, 0 where a mask hides), `score` (correlation, float16), `rgb`, `K`, `R`, `t`, in the shapes of `SavedDepth`,
`<number>` being the camera's index in the camera set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recon_api import reasons
from recon_api.errors import TransientError, UsageError
from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import estimate_poses
from recon_worker.stages.depth.bounds import DepthBounds, object_bounds, scene_bounds
from recon_worker.stages.depth.estimation import estimate_inverse_depth
from recon_worker.stages.depth.view import View, load_view
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.object_region import Region, are_trusted
from recon_worker.stages.parallel import device_in_use, device_name, for_each
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.scene_region import RegionMode, region_of
from recon_worker.stages.view_selection import select_sources

STAGE = "estimate_depth"
REGION = "region.npz"
LEAST_VIEWS = 3


@dataclass(frozen=True)
class SavedDepth:
    """The depth map of one view as it lies in the artefact."""

    w: npt.NDArray[np.float32]
    """(h, w) inverse depth, in one over the world's unit."""
    score: npt.NDArray[np.float16]
    """(h, w) correlation of each pixel's window with the best sources, -1 to 1."""
    rgb: npt.NDArray[np.uint8]
    """(h, w, 3) sRGB."""
    K: npt.NDArray[np.float64]
    """(3, 3) from the camera's frame to pixels of the map, whose centres are at +0.5."""
    R: npt.NDArray[np.float64]
    """(3, 3) from the world's axes to the camera's (x right, y down, z forward)."""
    t: npt.NDArray[np.float64]
    """(3,) in the world's unit: X_camera = R X_world + t."""

    @classmethod
    def load(cls, path: Path) -> "SavedDepth":
        """Read one view's file."""
        with np.load(path) as archive:
            return cls(**{name: archive[name] for name in ("w", "score", "rgb", "K", "R", "t")})


def saved_maps(folder: Path) -> dict[int, Path]:
    """Return the files of an artefact's maps by their camera's index, in order."""
    return {int(path.stem): path for path in sorted(folder.glob("[0-9]*.npz"))}


def load_region(folder: Path) -> Region:
    """Read the ball that the maps of an artefact cover."""
    with np.load(folder / REGION) as archive:
        return Region(archive["centre"], float(archive["radius"]), bool(archive["whole_scene"]))


def estimate_depth(
    scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress
) -> Mapping[str, Any]:
    """Estimate all depth maps; return how many, their size, and on which device.

    Raises UsageError(INSUFFICIENT_OVERLAP) where too few photos show the object, TransientError(CUDA_OUT_OF_MEMORY).
    """
    posed = scene.folder(estimate_poses.STAGE)
    cameras, sparse = CameraSet.load(posed).cameras, SparsePoints.load(posed)
    region = region_of(parameters.region.mode, cameras, sparse.xyz, sparse.tracks)
    np.savez(folder / REGION, centre=region.centre, radius=region.radius, whole_scene=region.whole_scene)
    bounds = _bounds(cameras, sparse, region, parameters.depth_px)
    device = device_in_use()
    centres = np.array([camera.centre() for camera in cameras])
    sources = select_sources(centres, sparse.xyz, sparse.tracks, parameters.preset.sources, progress.check_cancelled)
    try:
        views: dict[int, View | None] = {}

        def load(number: int, _: Callable[[], None]) -> None:
            found = bounds[number]
            views[number] = load_view(posed, cameras[number], found, device) if found else None

        for_each(range(len(cameras)), load, device, progress.part(0.0, 0.05))
        jobs = _jobs(views, sources)

        def estimate(number: int, check: Callable[[], None]) -> None:
            view, others = jobs[number]
            w, score = estimate_inverse_depth(view, others, parameters.preset.planes, check)
            if view.shown is not None:
                w, score = torch.where(view.shown, w, 0.0), torch.where(view.shown, score, -1.0)
            _save(folder / f"{number:05d}.npz", view, w, score)

        for_each(sorted(jobs), estimate, device, progress.part(0.05, 1.0))
    except torch.OutOfMemoryError as error:
        raise TransientError(
            reasons.CUDA_OUT_OF_MEMORY,
            "the GPU's memory did not suffice for the depth maps; a lower quality or maxImageSize needs less",
        ) from error
    widths = [view.pyramid[0].shape[1] for view, _ in jobs.values()]
    return {
        "views": len(jobs),
        "median_width_px": int(np.median(widths)),
        "region": (RegionMode.FULL if region.whole_scene else RegionMode.OBJECT).value,
        "device": device_name(device),
    }


def _bounds(
    cameras: Sequence[PlacedCamera], sparse: SparsePoints, region: Region, object_px: int
) -> list[DepthBounds | None]:
    """Return for each camera what of its photo gets a depth map."""
    if not region.whole_scene:
        return [object_bounds(camera, region, object_px) for camera in cameras]
    observed, camera = sparse.tracks[are_trusted(len(sparse.xyz), sparse.tracks)[sparse.tracks[:, 0]]].T
    seen = [sparse.xyz[observed[camera == number]] for number in range(len(cameras))]
    return [scene_bounds(one, points, object_px) for one, points in zip(cameras, seen, strict=True)]


def _jobs(views: Mapping[int, View | None], sources: Sequence[Sequence[int]]) -> dict[int, tuple[View, list[View]]]:
    """Return each view that shows the object, by its camera's index, with those that it is compared with."""
    jobs = {}
    for number, chosen in enumerate(sources):
        view = views[number]
        others = [other for index in chosen if (other := views[index]) is not None]
        if view is not None and others:
            jobs[number] = (view, others)
    if len(jobs) < LEAST_VIEWS:
        raise UsageError(
            reasons.INSUFFICIENT_OVERLAP,
            f"only {len(jobs)} of {len(views)} placed photos show the same object from different sides; "
            "walk around one object and keep it in the middle of every photo",
        )
    return jobs


def _save(path: Path, view: View, w: torch.Tensor, score: torch.Tensor) -> None:
    """Write a view's map: inverse depth `w` (h, w), float32, and `score` (h, w), kept as float16."""
    np.savez(
        path,
        w=w.cpu().numpy(),
        score=score.cpu().numpy().astype(np.float16),
        rgb=view.rgb,
        K=view.K,
        R=view.R,
        t=view.t,
    )
