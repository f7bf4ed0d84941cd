"""Placing the photos relative to each other: the ladder of efforts, undistortion, and the world frame.

The artefact: `cameras.json` (`recon_worker.geometry.cameras.CameraSet`), `images/` (undistorted) and `sparse.npz` (`SparsePoints`).
"""

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import PHOTOS_PLACED
from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import prepare_images
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.prepare_images import PhotoGroups
from recon_worker.stages.unplaced_photos import first_of, look_at, refusal
from recon_worker.stages.world_frame import Placement, to_world_frame
from recon_worker.tools.placement_requests import (
    CHEAP,
    LADDER,
    Effort,
    FeatureRequest,
    PlacementRequest,
    UndistortionRequest,
)
from recon_worker.tools.runner import run_tool

STAGE = "estimate_poses"
SPARSE = "sparse.npz"

GOOD_SHARE = 0.9
"""Share of placed photos with which a rung of the ladder is taken at once."""

LEAST_SHARE = 1 / 3
"""Share of the photos that must be placed.

With less than a third, what is placed is a fragment that nobody would take for the object.
"""

GROUP_SHARE = 0.2
"""Share of the photos from which a second group, that shares nothing with the first, is taken for another thing."""

LEAST_PHOTOS = 3
"""Two views give no check of a depth by a third one."""

LEAST_POINTS = 50
"""A group with fewer points in common is an accident: five photos of anything with overlap share hundreds."""


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


@dataclass(frozen=True)
class Rung:
    """What one rung of the ladder came to."""

    effort: Effort
    model: Path
    report: Mapping[str, Any]

    @property
    def rank(self) -> tuple[int, int]:
        """Order by photos placed, then by points."""
        return int(self.report["placed"]), int(self.report["points"])

    def photo_groups(self, photos: PhotoGroups) -> list[list[str]]:
        """Return the user's names of the photos in each group that was placed, largest group first."""
        return [[photos.sources[name] for name in group] for group in self.report["groups"]]


def estimate_poses(
    scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress
) -> Mapping[str, Any]:
    """Place the photos; return how many, the reprojection error, and what was left out.

    Raises UsageError: INSUFFICIENT_OVERLAP or UNUSABLE_PHOTOS where too few could be placed, UNCONNECTED_PHOTOS where they fall into groups,
    CAMERA_DID_NOT_MOVE where all were taken from one spot.
    """
    groups = PhotoGroups.model_validate_json((scene.folder(prepare_images.STAGE) / prepare_images.GROUPS).read_text())
    best = _climb(scene.folder(prepare_images.STAGE), folder, groups, parameters, progress.part(0.0, 0.9))
    require_one_thing(best.photo_groups(groups), len(groups.sources))
    _require_enough(best, scene.folder(prepare_images.STAGE), groups)
    placed, points, error = best.report["placed"], best.report["points"], best.report["reprojection_error_px"]
    progress.metric(PHOTOS_PLACED, f"{placed}/{len(groups.sources)}")
    progress.metric("reprojectionErrorPx", f"{error:.2f}")
    request = UndistortionRequest(model=best.model, images=scene.folder(prepare_images.STAGE) / "images", output=folder)
    run_tool("undistort_photos", request, folder, progress.part(0.9, 1.0))
    cameras = _write_world(folder, groups)
    shutil.rmtree(folder / "ladder")
    left_out = sorted(set(groups.sources.values()) - {camera.name for camera in cameras.cameras})
    return {
        "photos": len(groups.sources),
        "placed": placed,
        "left_out": left_out,
        "groups": [len(group) for group in best.report["groups"]],
        "effort": best.effort.name,
        "reprojection_error_px": error,
        "sparse_points": points,
    }


def _climb(
    prepared: Path, folder: Path, groups: PhotoGroups, parameters: MultiViewParameters, progress: Progress
) -> Rung:
    """Try efforts in order until nearly all photos are placed; return the best result."""
    best: Rung | None = None
    for number, effort in enumerate(LADDER):
        # A rung that is not the last one is most likely to do; so each takes half of what is left of the percentages.
        span = progress.part(1 - 0.5**number, 1 - 0.5 ** (number + 1))
        rung = _try(effort, prepared, folder / "ladder" / effort.name, groups, parameters.seed, span)
        _require_motion(rung)
        if best is None or rung.rank > best.rank:
            best = rung
        if best.rank[0] >= GOOD_SHARE * len(groups.sources) or _is_hopeless(best, len(groups.sources)):
            break
        if effort is not CHEAP:
            require_one_thing(rung.photo_groups(groups), len(groups.sources))
    if best is None:
        raise AssertionError("the ladder has rungs")
    return best


def _is_hopeless(best: Rung, photos: int) -> bool:
    """Say whether more features can't help: there are plenty, and still hardly any two photos show the same."""
    return best.effort is not CHEAP and best.rank[0] < LEAST_SHARE * photos / 2


def _try(effort: Effort, prepared: Path, folder: Path, groups: PhotoGroups, seed: int, progress: Progress) -> Rung:
    folder.mkdir(parents=True)
    database = folder / prepare_images.DATABASE
    images, masks = prepared / "images", prepared / "masks"
    if effort is CHEAP:
        shutil.copyfile(prepared / prepare_images.DATABASE, database)
    else:
        request = FeatureRequest(
            database=database,
            images=images,
            masks=masks if masks.is_dir() else None,
            groups=groups.groups,
            effort=effort,
        )
        run_tool("extract_features", request, folder, progress.part(0.0, 0.4))
    placement = PlacementRequest(database=database, images=images, model=folder / "model", effort=effort, seed=seed)
    report = run_tool("place_photos", placement, folder, progress.part(0.0 if effort is CHEAP else 0.4, 1.0))
    return Rung(effort, folder / "model", report)


def _require_motion(rung: Rung) -> None:
    if rung.report.get("only_turned"):
        raise UsageError(
            reasons.CAMERA_DID_NOT_MOVE,
            "the camera only turned on the spot, so the photos show no depth; walk around the object, and take each photo from "
            "another place, a step to the side",
        )


def require_one_thing(groups: Sequence[Sequence[str]], photos: int) -> None:
    """Raise UsageError(UNCONNECTED_PHOTOS) where a second group of many photos shares none with the first, largest one."""
    if not groups:
        return
    first = sorted(groups[0])
    others = [sorted(set(group) - set(first)) for group in groups[1:]]
    second = max(others, key=len, default=[])
    if len(second) < max(LEAST_PHOTOS, GROUP_SHARE * photos):
        return
    raise UsageError(
        reasons.UNCONNECTED_PHOTOS,
        f"the photos fall into groups that show nothing in common: {_named(first)} and {_named(second)}; if they show "
        "different things, make a job of each; if they show one thing, add photos from in between",
    )


def _named(group: Sequence[str]) -> str:
    return f"{len(group)} photos ({first_of(group)})"


def _require_enough(best: Rung, prepared: Path, groups: PhotoGroups) -> None:
    placed, points = best.rank
    if points < LEAST_POINTS:
        placed = min(placed, 2)
    needed = max(LEAST_PHOTOS, math.ceil(LEAST_SHARE * len(groups.sources)))
    if placed >= needed:
        return
    features = best.report["features"]
    seen = [
        look_at(source, prepared / "images" / name, prepared / "masks" / f"{name}.png", features.get(name, 0))
        for name, source in groups.sources.items()
    ]
    raise refusal(placed, seen, needed)


def _write_world(folder: Path, groups: PhotoGroups) -> CameraSet:
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
    return cameras
