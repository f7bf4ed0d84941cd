"""Load photos: read a folder or an archive, refuse what is no usable photo, and write the rest upright as 8-bit RGB.

The artefact is a `PhotoSet` (`photos.json`) beside the photos' files, in the order in which a person would list them.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import INPUT_BYTES, PHOTOS
from recon_api.printable import printable
from recon_api.steps import Step
from recon_worker.inputs import archive
from recon_worker.inputs.folder import list_folder
from recon_worker.inputs.photo import PhotoRejected, Prepared, prepare_photo
from recon_worker.inputs.photo_selection import choose_photos, listed, refuse_no_archive, refuse_too_few
from recon_worker.inputs.source import PhotoSource, opened, resolved
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.stage import Stage

STAGE = "load_photos"
INDEX = "photos.json"

MAX_THREADS = 4
"""Photos that are decoded at once; each of the largest ones takes 600 MB meanwhile."""

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

    Figures: photos, duplicates (identical files that were left out), megapixels of all photos.
    Raises `UsageError` naming every file that is wrong; see `recon_worker.inputs`.
    """
    with _files(source, folder, progress.part(0.0, UNPACKING_SHARE)) as files:
        size = sum(path.stat().st_size for path in files.values())
        prepared = _prepare(files, source, folder, progress.part(UNPACKING_SHARE, 1.0))
    photos, duplicates = _without_duplicates(prepared)
    refuse_too_few(len(photos), duplicates, source, source.limits)
    PhotoSet(photos=tuple(photos)).save(folder)
    progress.metric(PHOTOS, len(photos))
    progress.metric(INPUT_BYTES, size)
    megapixels = sum(photo.width * photo.height for photo in photos) / 1e6
    return {"photos": len(photos), "duplicates": duplicates, "megapixels": round(megapixels, 1)}


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


Job = tuple[int, PurePosixPath, Path]
"""A photo's place in the order, its name, and where it lies."""

Run = Callable[[Callable[[Job], Prepared | PhotoRejected], Sequence[Job]], Iterator[Prepared | PhotoRejected]]
"""A parallel `map`."""


@contextmanager
def _files(source: PhotoSource, folder: Path, progress: Progress) -> Iterator[dict[PurePosixPath, Path]]:
    """Yield where the photos lie, by name, in order; an archive is unpacked meanwhile."""
    real = resolved(source)
    if real.is_dir():
        names = list_folder(real, source)
        yield {name: real / name for name in choose_photos(names, source, source.limits)}
        return
    unpacked = folder / ".unpacked"
    unpacked.mkdir()
    try:
        found = _unpack(real, source, unpacked, progress)
        yield {name: found[name] for name in choose_photos(found, source, source.limits)}
    finally:
        shutil.rmtree(unpacked)


def _unpack(real: Path, source: PhotoSource, folder: Path, progress: Progress) -> dict[PurePosixPath, Path]:
    with opened(real, source) as file:
        if not archive.is_archive(file):
            archive.refuse_damaged(file, source)
            refuse_no_archive(PurePosixPath(real.name), source, source.limits)
        return archive.unpack(file, source, folder, progress.check_cancelled)


def _prepare(
    files: Mapping[PurePosixPath, Path], source: PhotoSource, folder: Path, progress: Progress
) -> list[tuple[PurePosixPath, Prepared]]:
    """Prepare every photo, in order, several at once; raise one error that names all that are wrong."""
    jobs = [(index, name, path) for index, (name, path) in enumerate(files.items())]
    prepared: list[tuple[PurePosixPath, Prepared]] = []
    wrong: list[str] = []
    with _threads() as run:
        for (index, name, _), result in zip(jobs, run(_preparation(folder, source, progress), jobs), strict=True):
            if isinstance(result, PhotoRejected):
                wrong.append(f"{name} {result}")
            else:
                prepared.append((name, result))
            progress.tick((index + 1) / len(jobs))
        if wrong:
            raise UsageError(reasons.INPUT_REJECTED, f"{source}: {listed(wrong)}; replace or remove such files")
        return _with_one_scale(prepared, jobs, run, folder, source, progress)


def _with_one_scale(
    prepared: list[tuple[PurePosixPath, Prepared]],
    jobs: Sequence[Job],
    run: Run,
    folder: Path,
    source: PhotoSource,
    progress: Progress,
) -> list[tuple[PurePosixPath, Prepared]]:
    """Prepare deep grey photos again that use fewer bits than others do, since a set comes from one camera."""
    most = max((photo.grey_bits or 0 for _, photo in prepared), default=0)
    darker = [i for i, (_, photo) in enumerate(prepared) if photo.grey_bits is not None and photo.grey_bits < most]
    again = run(_preparation(folder, source, progress, most), [jobs[i] for i in darker])
    for i, result in zip(darker, again, strict=True):
        if isinstance(result, PhotoRejected):  # the file has changed meanwhile
            raise UsageError(reasons.INPUT_REJECTED, f"{source}: {prepared[i][0]} {result}; replace or remove it")
        prepared[i] = prepared[i][0], result
    return prepared


def _preparation(
    folder: Path, source: PhotoSource, progress: Progress, grey_bits: int | None = None
) -> Callable[[Job], Prepared | PhotoRejected]:
    """Return what writes one photo into the folder."""
    real = resolved(source)

    def prepare(job: Job) -> Prepared | PhotoRejected:
        index, _, path = job
        # What was unpacked lies in the scene, outside of the source's root.
        inside = source if path.is_relative_to(real) else PhotoSource(path, limits=source.limits)
        target = folder / f"{index:05d}"
        with opened(path, inside) as file:
            try:
                return prepare_photo(file, path, target, source.limits, progress.check_cancelled, grey_bits=grey_bits)
            except PhotoRejected as rejection:
                return rejection

    return prepare


@contextmanager
def _threads() -> Iterator[Run]:
    """Yield a parallel `map`; what has not begun is dropped when the block is left early."""
    pool = ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1), thread_name_prefix="photos")
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)


def _without_duplicates(prepared: Sequence[tuple[PurePosixPath, Prepared]]) -> tuple[list[Photo], int]:
    first: dict[str, Photo] = {}
    for name, photo in prepared:
        if photo.sha256 in first:
            photo.file.unlink()
            continue
        first[photo.sha256] = Photo(
            file=photo.file.name,
            source=printable(str(name)),
            width=photo.width,
            height=photo.height,
            focal_px=photo.focal_px,
            has_alpha=photo.has_alpha,
        )
    return list(first.values()), len(prepared) - len(first)
