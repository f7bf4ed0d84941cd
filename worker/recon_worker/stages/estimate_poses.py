"""Placing the photos relative to each other: the ladder of efforts, exact cameras, undistortion, and the world frame.

The artefact: `cameras.json` (`recon_worker.geometry.cameras.CameraSet`), `images/` (undistorted) and `sparse.npz` (`SparsePoints`).
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recon_api.payload import PHOTOS_PLACED
from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import load_photos, prepare_images
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.placement_checks import (
    LEAST_POINTS,
    least_placed,
    not_placed,
    require_all,
    require_all_usable,
    require_one_thing,
    require_plausible_cameras,
)
from recon_worker.stages.placement_ladder import Ladder, Rung
from recon_worker.stages.prepare_images import PhotoGroups
from recon_worker.stages.tracks.alignment import align_tracks
from recon_worker.stages.unplaced_photos import look_at, refusal
from recon_worker.stages.world_frame import Placement, to_world_frame
from recon_worker.tools.placement_requests import TRACKS, AdjustmentRequest, UndistortionRequest
from recon_worker.tools.runner import run_tool
from recon_worker.tools.tracks import Tracks

STAGE = "estimate_poses"
SPARSE = "sparse.npz"


@dataclass(frozen=True)
class SparsePoints:
    """The points that structure from motion found, in the world frame."""

    xyz: npt.NDArray[np.float32]
    """(p, 3) in the world frame."""
    rgb: npt.NDArray[np.uint8]
    """(p, 3) sRGB."""
    tracks: npt.NDArray[np.int32]
    """(m, 2): point i was seen by camera j (indices of `xyz` and of the camera set)."""

    @classmethod
    def load(cls, folder: Path) -> "SparsePoints":
        """Read them from the artefact's folder."""
        with np.load(folder / SPARSE) as archive:
            return cls(archive["xyz"], archive["rgb"], archive["tracks"])

    def save(self, folder: Path) -> None:
        """Write them into the artefact's folder."""
        np.savez(folder / SPARSE, xyz=self.xyz, rgb=self.rgb, tracks=self.tracks)


def estimate_poses(
    scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress
) -> Mapping[str, Any]:
    """Place the photos; return how many, the reprojection error, and what was left out.

    Raises UsageError: INSUFFICIENT_OVERLAP or UNUSABLE_PHOTOS where too few could be placed, UNCONNECTED_PHOTOS where they fall
    into groups of which none has most of them, PHOTOS_NOT_PLACED or PHOTOS_LEFT_OUT where all were asked for, CAMERA_DID_NOT_MOVE where all were
    taken from one spot, IMPLAUSIBLE_CAMERAS where no camera takes such photos.
    """
    if parameters.require_all_photos:
        require_all_usable(scene.report(load_photos.STAGE).get(load_photos.UNUSABLE, ()))
    prepared = scene.folder(prepare_images.STAGE)
    groups = PhotoGroups.model_validate_json((prepared / prepare_images.GROUPS).read_text())
    best = Ladder(prepared, folder / "ladder", groups, parameters).climb(progress.part(0.0, 0.8))
    left_out = _judge(best, prepared, groups, parameters)
    placed, coarse_px = best.report["placed"], best.report["reprojection_error_px"]
    adjusted = _adjust(best.model, prepared / "images", folder, progress.part(0.8, 0.9))
    progress.metric(PHOTOS_PLACED, f"{placed}/{len(groups.sources)}")
    progress.metric("reprojectionErrorPx", f"{adjusted['reprojection_error_px']:.2f}")
    request = UndistortionRequest(
        model=best.model, images=prepared / "images", masks=prepare_images.masks_in(prepared), output=folder
    )
    run_tool("undistort_photos", request, folder, progress.part(0.9, 1.0))
    _write_world(folder, groups)
    shutil.rmtree(folder / "ladder")
    if left_out:
        progress.warn(not_placed(left_out, len(groups.sources)))
    return {
        "photos": len(groups.sources),
        "placed": placed,
        "left_out": left_out,
        "groups": [len(group) for group in best.report["groups"]],
        "effort": best.effort.name,
        "cameras": best.report["cameras"],
        "coarse_error_px": coarse_px,
        "reprojection_error_px": adjusted["reprojection_error_px"],
        "aligned": adjusted["aligned"],
        "sparse_points": adjusted["points"],
    }


def _adjust(model: Path, images: Path, folder: Path, progress: Progress) -> Mapping[str, Any]:
    """Move the features of placed photos to where the photos agree, and adjust the model in place to that."""
    moved = align_tracks(Tracks.load(model / TRACKS), images, progress.part(0.0, 0.7))
    request = AdjustmentRequest(model=model, moved=model / "moved.npz")
    moved.save(request.moved)
    report = run_tool("adjust_cameras", request, folder, progress.part(0.7, 1.0))
    return {**report, "aligned": round(moved.share, 3)}


def _judge(best: Rung, prepared: Path, groups: PhotoGroups, parameters: MultiViewParameters) -> list[str]:
    """Return the photos that are left out. Raises UsageError where what was placed is no base for a model."""
    found, photos = best.photo_groups(groups), len(groups.sources)
    require_one_thing(found, photos)
    placed = min(best.rank[0], 2) if best.rank[1] < LEAST_POINTS else best.rank[0]
    if placed < least_placed(photos):
        features = best.report["features"]
        seen = [
            look_at(source, prepared / "images" / name, prepared / "masks" / f"{name}.png", features.get(name, 0))
            for name, source in groups.sources.items()
        ]
        raise refusal(placed, seen, least_placed(photos))
    require_plausible_cameras(best.report["implausible"])
    placed_names = set(found[0])
    left_out = [name for name in groups.sources.values() if name not in placed_names]
    if parameters.require_all_photos:
        require_all(left_out, photos)
    return left_out


def _write_world(folder: Path, groups: PhotoGroups) -> None:
    """Turn what the undistortion tool wrote into the artefact's files."""
    with np.load(folder / "placement.npz") as found:
        placement = to_world_frame(Placement(found["rotations"], found["translations"], found["xyz"]))
        cameras = CameraSet(
            cameras=tuple(
                PlacedCamera(
                    name=groups.sources[name],
                    file=f"images/{name}",
                    width=int(width),
                    height=int(height),
                    fx=fx,
                    fy=fy,
                    cx=cx,
                    cy=cy,
                    R=R.tolist(),
                    t=t.tolist(),
                )
                for name, (width, height), (fx, fy, cx, cy), R, t in zip(
                    found["names"].tolist(),
                    found["size"].tolist(),
                    found["intrinsics"].tolist(),
                    placement.rotations,
                    placement.translations,
                    strict=True,
                )
            )
        )
        SparsePoints(placement.xyz.astype(np.float32), found["rgb"], found["tracks"]).save(folder)
    cameras.save(folder)
    (folder / "placement.npz").unlink()
