"""A depth map for every placed photo that shows the object, or for all of them where the whole scene is reconstructed.

The artefact: `region.npz` (centre and radius of the ball that the maps cover, and whether that is the whole scene) and, for each photo, `<number>.npz` with
`w` (inverse depth, float32, 0 where a mask hides), `score` (correlation, float16), `rgb`, `K`, `R`, `t`, in the shapes of `SavedDepth`,
`<number>` being the camera's index in the camera set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from recon_worker.stages.background import Check
from recon_worker.stages.depth.bounds import DepthBounds, object_bounds, scene_bounds
from recon_worker.stages.depth.consistency import DepthMap
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

MOST_IN_MEMORY = 128
"""Views that are kept at a time: a view is compared with others of about the same number."""


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


def save_map(path: Path, depth: DepthMap) -> None:
    """Write a depth map without colours and scores."""
    np.savez(path, w=depth.w.cpu().numpy(), K=depth.K, R=depth.R, t=depth.t)


def load_map(path: Path, device: torch.device) -> DepthMap:
    """Read the depth map alone of a view's file."""
    with np.load(path) as archive:
        return DepthMap(torch.from_numpy(archive["w"]).to(device), archive["K"], archive["R"], archive["t"])


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
    bounds = dict(_bounds(cameras, sparse, region, parameters.depth_px))
    device = device_in_use()
    centres = np.array([camera.centre() for camera in cameras])
    sources = select_sources(centres, sparse.xyz, sparse.tracks, parameters.preset.sources, progress.check_cancelled)
    compared = _compared(bounds, sources)
    widths: list[int] = []

    @lru_cache(MOST_IN_MEMORY)
    def load(number: int) -> View:
        return load_view(posed, cameras[number], bounds[number], device)

    def estimate(number: int, check: Check) -> None:
        view, others = load(number), [load(other) for other in compared[number]]
        w, score = estimate_inverse_depth(view, others, parameters.preset.planes, check)
        if view.shown is not None:
            w, score = torch.where(view.shown, w, 0.0), torch.where(view.shown, score, -1.0)
        _save(folder / f"{number:05d}.npz", view, w, score)
        widths.append(w.shape[1])

    try:
        for_each(sorted(compared), estimate, device, progress)
    except torch.OutOfMemoryError as error:
        raise TransientError(
            reasons.CUDA_OUT_OF_MEMORY,
            "the GPU's memory did not suffice for the depth maps; a lower quality or maxImageSize needs less",
        ) from error
    return {
        "views": len(compared),
        "median_width_px": int(np.median(widths)),
        "region": (RegionMode.FULL if region.whole_scene else RegionMode.OBJECT).value,
        "device": device_name(device),
    }


def _bounds(
    cameras: Sequence[PlacedCamera], sparse: SparsePoints, region: Region, object_px: int
) -> Iterator[tuple[int, DepthBounds]]:
    """Yield the index of each camera whose photo gets a depth map, and what of it does."""
    observed, camera = sparse.tracks[are_trusted(len(sparse.xyz), sparse.tracks)[sparse.tracks[:, 0]]].T
    for number, one in enumerate(cameras):
        if region.whole_scene:
            bounds = scene_bounds(one, sparse.xyz[observed[camera == number]], object_px)
        else:
            bounds = object_bounds(one, region, object_px)
        if bounds:
            yield number, bounds


def _compared(bounds: Mapping[int, DepthBounds], sources: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Return the index of each camera whose photo shows the object, with those of the cameras that it is compared with."""
    shown = {number: [other for other in sources[number] if other in bounds] for number in bounds}
    compared = {number: others for number, others in shown.items() if others}
    if len(compared) < LEAST_VIEWS:
        raise UsageError(
            reasons.INSUFFICIENT_OVERLAP,
            f"only {len(compared)} of {len(sources)} placed photos show the same object from different sides; "
            "walk around one object and keep it in the middle of every photo",
        )
    return compared


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
