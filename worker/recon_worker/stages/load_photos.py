"""Load photos: read a folder or an archive, refuse what is no usable photo, and write the rest upright as 8-bit RGB.

The artefact is a `PhotoSet` (`photos.json`) beside the photos' files, in the order in which a person would list them.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from recon_api.payload import INPUT_BYTES, PHOTOS
from recon_api.printable import printable
from recon_api.steps import Step
from recon_worker.inputs import archive
from recon_worker.inputs.folder import list_folder
from recon_worker.inputs.left_out import LeftOut, left_out_by_name, report_left_out
from recon_worker.inputs.photo import Prepared
from recon_worker.inputs.photo_selection import choose_images, refuse_no_archive, refuse_too_few
from recon_worker.inputs.preparation import prepare_photos
from recon_worker.inputs.source import PhotoSource, opened, resolved
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.stage import Stage

STAGE = "load_photos"
INDEX = "photos.json"
UNUSABLE = "unusable_photos"
"""Figure of the report that names photos which are damaged or panoramas."""


UNPACKING_SHARE = 0.3
"""Of the stage's time, where the input is an archive."""


class Photo(BaseModel):
    """One photo, upright, as an 8-bit RGB JPEG or PNG file that decodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    """Name within the artefact's folder; sorting by it keeps the order of the input."""
    source: str
    """Name that the user gave it."""
    width: int
    height: int
    """Size in pixels after the EXIF orientation was applied."""
    focal_px: float | None = None
    """Focal length in pixels of the photo as it is here, from EXIF, if it says so."""
    has_alpha: bool = False
    """Whether the file is a PNG with transparency, which masks the background."""


class PhotoSet(BaseModel):
    """All photos of a job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: tuple[Photo, ...]

    @classmethod
    def load(cls, folder: Path) -> "PhotoSet":
        """Read the artefact's index from its folder."""
        return cls.model_validate_json((folder / INDEX).read_text())

    def save(self, folder: Path) -> None:
        """Write the artefact's index into its folder."""
        (folder / INDEX).write_text(self.model_dump_json(indent=1))


def load_photos(_: Scene, folder: Path, source: PhotoSource, progress: Progress) -> Mapping[str, Any]:
    """Write the source's photos and their index into `folder`.

    Figures: photos, duplicates (identical files), megapixels of all photos, photos that are damaged or panoramas, and why each
    file that is not used is left out.
    Raises `UsageError` naming every file that is wrong; see `recon_worker.inputs`.
    """
    with _files(source, folder, progress.part(0.0, UNPACKING_SHARE)) as (files, left_out):
        size = sum(path.stat().st_size for path in files.values())
        prepared = prepare_photos(files, source, folder, progress.part(UNPACKING_SHARE, 1.0))
    photos, copies = _without_duplicates(prepared.photos)
    refuse_too_few(len(photos), len(copies), source, source.limits)
    PhotoSet(photos=tuple(photos)).save(folder)
    progress.metric(PHOTOS, len(photos))
    progress.metric(INPUT_BYTES, size)
    megapixels = sum(photo.width * photo.height for photo in photos) / 1e6
    figures: dict[str, Any] = {"photos": len(photos), "duplicates": len(copies), "megapixels": round(megapixels, 1)}
    if prepared.unusable:
        figures[UNUSABLE] = [printable(str(name)) for name in prepared.unusable]
    return figures | report_left_out({**left_out, **prepared.left_out, **copies}, progress)


def signature(source: PhotoSource) -> object:
    """Return what tells a changed input from the same one: name, size and time of change of every file.

    Raises `UsageError` where the input is not there.
    """
    real = resolved(source)
    files = list_folder(real, source) if real.is_dir() else [PurePosixPath()]
    return sorted([str(name), *_size_and_time(real / name)] for name in files)


LOAD_PHOTOS: Stage[PhotoSource] = Stage(STAGE, Step.LOADING, load_photos, parameters_read=signature, version=2)
"""The stage; its parameters are the source of the photos."""


def _size_and_time(file: Path) -> tuple[int, int]:
    stat = os.lstat(file)
    return stat.st_size, stat.st_mtime_ns


@contextmanager
def _files(
    source: PhotoSource, folder: Path, progress: Progress
) -> Iterator[tuple[dict[PurePosixPath, Path], LeftOut]]:
    """Yield where the photos and their masks lie, by name, in order, and what is left out; an archive is unpacked meanwhile."""
    real = resolved(source)
    if real.is_dir():
        names = list_folder(real, source)
        yield {name: real / name for name in choose_images(names, source, source.limits)}, left_out_by_name(names)
        return
    unpacked = folder / ".unpacked"
    unpacked.mkdir()
    try:
        found = _unpack(real, source, unpacked, progress)
        yield {name: found[name] for name in choose_images(found, source, source.limits)}, left_out_by_name(found)
    finally:
        shutil.rmtree(unpacked)


def _unpack(real: Path, source: PhotoSource, folder: Path, progress: Progress) -> dict[PurePosixPath, Path]:
    with opened(real, source) as file:
        if not archive.is_archive(file):
            archive.refuse_damaged(file, source)
            refuse_no_archive(PurePosixPath(real.name), source, source.limits)
        return archive.unpack(file, source, folder, progress.check_cancelled)


def _without_duplicates(prepared: Sequence[tuple[PurePosixPath, Prepared]]) -> tuple[list[Photo], LeftOut]:
    """Return the photos, each once, and the files that hold the same as one before them."""
    first: dict[str, Photo] = {}
    copies: dict[PurePosixPath, str] = {}
    for name, photo in prepared:
        if photo.sha256 in first:
            photo.file.unlink()
            copies[name] = f"holds the same as {first[photo.sha256].source}"
            continue
        first[photo.sha256] = Photo(
            file=photo.file.name,
            source=printable(str(name)),
            width=photo.width,
            height=photo.height,
            focal_px=photo.focal_px,
            has_alpha=photo.has_alpha,
        )
    return list(first.values()), copies
