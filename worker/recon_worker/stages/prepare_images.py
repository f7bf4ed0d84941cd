"""Scaling the photos for feature detection, and finding features in them the cheap way.

The artefact: `images/<group>/<file>`, one group for each set of photos that one camera with one focal length took,
`masks/` (where photos have transparency), `groups.json` and `features.db` (a COLMAP database with the cheap features).
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel

from recon_worker.files.cancellable_file import checked
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages import load_photos
from recon_worker.stages.load_photos import Photo, PhotoSet
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.tools.placement_requests import FEW_FEATURES, FeatureRequest, PhotoGroup
from recon_worker.tools.runner import run_tool

STAGE = "prepare_images"
GROUPS = "groups.json"
DATABASE = "features.db"
JPEG_QUALITY = 95


class PhotoGroups(BaseModel):
    """The groups of prepared photos, and each prepared file's source name."""

    groups: tuple[PhotoGroup, ...]
    sources: dict[str, str]
    """Name that the user gave each photo, by its path under `images/`."""


def prepare_images(
    scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress
) -> Mapping[str, Any]:
    """Write the scaled photos and their cheap features; return how many photos, their size, and features found."""
    photos = PhotoSet.load(scene.folder(load_photos.STAGE)).photos
    groups = PhotoGroups(groups=_grouped(photos, parameters.photo_px), sources={})
    scaling, finding = progress.part(0.0, 0.3), progress.part(0.3, 1.0)
    names = {
        photo.file: f"{group.name}/{_jpeg(photo.file)}"
        for group in groups.groups
        for photo in photos
        if _jpeg(photo.file) in group.files
    }
    for done, photo in enumerate(photos):
        scaling.tick(done / len(photos))
        original = scene.folder(load_photos.STAGE) / photo.file
        _write_scaled(original, folder, names[photo.file], parameters.photo_px, progress.check_cancelled)
        groups.sources[names[photo.file]] = photo.source
    (folder / GROUPS).write_text(groups.model_dump_json(indent=1))
    request = FeatureRequest(
        database=folder / DATABASE,
        images=folder / "images",
        masks=masks_in(folder),
        groups=groups.groups,
        sift=FEW_FEATURES,
    )
    found = run_tool("extract_features", request, folder, finding)
    return {"photos": len(photos), "photo_px": parameters.photo_px, "cameras": len(groups.groups), **found}


def masks_in(folder: Path) -> Path | None:
    """Return the folder of the photos' masks within the artefact's, where any photo has one."""
    masks = folder / "masks"
    return masks if masks.is_dir() else None


def _jpeg(file: str) -> str:
    return Path(file).with_suffix(".jpg").name


def _grouped(photos: tuple[Photo, ...], limit_px: int) -> tuple[PhotoGroup, ...]:
    """Put photos of the same shape and focal length together: they share one camera's unknowns."""
    members: dict[tuple[int, int, float | None], list[Photo]] = {}
    for photo in photos:
        focal = photo.focal_px and round(photo.focal_px / max(photo.width, photo.height), 3)
        members.setdefault((photo.width, photo.height, focal), []).append(photo)
    groups = []
    for number, ((width, height, focal), same) in enumerate(members.items()):
        width_px, height_px = _scaled_size(width, height, limit_px)
        groups.append(
            PhotoGroup(
                name=f"{number:03d}",
                files=tuple(_jpeg(photo.file) for photo in same),
                width=width_px,
                height=height_px,
                focal_px=focal * max(width_px, height_px) if focal else None,
            )
        )
    return tuple(groups)


def _scaled_size(width: int, height: int, limit_px: int) -> tuple[int, int]:
    scale = min(1.0, limit_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _write_scaled(source: Path, folder: Path, name: str, limit_px: int, check: Callable[[], None]) -> None:
    """Write one photo as a JPEG of at most `limit_px`; a transparent background goes into a mask and turns black."""
    target = folder / "images" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file, Image.open(checked(file, check)) as photo:
        size = _scaled_size(photo.width, photo.height, limit_px)
        if photo.format == "JPEG" and size == photo.size and photo.mode == "RGB":
            shutil.copyfile(source, target)
            return
        photo.draft("RGB", (2 * size[0], 2 * size[1]))
        photo.load()
        check()
        alpha = photo.convert("RGBA").getchannel("A") if photo.has_transparency_data else None
        colours = photo.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if alpha is not None:
        alpha = alpha.resize(size, Image.Resampling.BOX).point(lambda value: 255 * (value > 127))
        mask = folder / "masks" / f"{name}.png"
        mask.parent.mkdir(parents=True, exist_ok=True)
        alpha.save(mask)
        colours.paste((0, 0, 0), mask=alpha.point(lambda value: 255 - value))
    with target.open("wb") as out:
        colours.save(checked(out, check), format="JPEG", quality=JPEG_QUALITY)
