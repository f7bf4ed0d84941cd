"""Preparing the photos of a set, several at once, each with its mask; what is wrong with any of them is said in one error."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path, PurePosixPath

from PIL import Image

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs import stereo_pair
from recon_worker.inputs.left_out import LeftOut, thumbnails
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.masks import masks_of, read_mask
from recon_worker.inputs.photo import Panorama, PhotoRejected, PhotoTooSmall, Prepared, Treatment, prepare_photo
from recon_worker.inputs.photo_selection import listed
from recon_worker.inputs.source import PhotoSource, opened, resolved
from recon_worker.progress import Progress

MAX_THREADS = 4
"""Photos that are decoded at once; each of the largest ones takes 600 MB meanwhile."""

MOST_DAMAGED = 0.1
"""Share of the files that may be damaged, or no photos, and are left out: with more of them, something has gone wrong."""

MOST_PANORAMAS = 0.5
"""Share of the photos that may be panoramas, and are left out."""

Named = list[tuple[PurePosixPath, Prepared]]
"""Photos by the names that the user gave them, in order."""


@dataclass(frozen=True)
class PreparedPhotos:
    """The photos that are used."""

    photos: Named
    left_out: LeftOut
    """Files that are no usable photos."""
    unusable: tuple[PurePosixPath, ...] = ()
    """Those of them that are photos: damaged ones and panoramas, not icons and thumbnails."""


@dataclass(frozen=True)
class Job:
    """One photo to prepare."""

    index: int
    """Its place in the order."""
    name: PurePosixPath
    path: Path
    mask: Path | None
    """Where its mask lies, if it has one."""


Run = Callable[[Callable[[Job], Prepared | PhotoRejected], Sequence[Job]], Iterator[Prepared | PhotoRejected]]
"""A parallel `map`."""


Read = Callable[[Path], AbstractContextManager[BufferedReader]]
"""Opens a file of the input."""


def prepare_photos(
    files: Mapping[PurePosixPath, Path], source: PhotoSource, folder: Path, progress: Progress
) -> PreparedPhotos:
    """Write every photo of these images, in order, into the folder; masks of photos among them are applied.

    Icons, thumbnails, single panoramas and a few damaged files are left out where enough photos remain. Raises one
    `UsageError` that names all that are wrong: INPUT_REJECTED, or NOT_PINHOLE_PHOTOS where most are panoramas.
    """
    jobs = _jobs(files)
    prepared: Named = []
    rejected: dict[PurePosixPath, PhotoRejected] = {}
    with _threads() as run:
        for job, result in zip(jobs, run(_preparation(folder, source, progress), jobs), strict=True):
            if isinstance(result, PhotoRejected):
                rejected[job.name] = result
            else:
                prepared.append((job.name, result))
            progress.tick((job.index + 1) / len(jobs))
        _refuse(rejected, len(jobs), source)
        even = _with_one_scale(prepared, {job.name: job for job in jobs}, run, folder, source, progress)
        left_out = {name: f"{why}" for name, why in rejected.items()}
        unusable = tuple(name for name, why in rejected.items() if not isinstance(why, PhotoTooSmall))
        return replace(_without_thumbnails(even, left_out, source.limits), unusable=unusable)


def _refuse(rejected: Mapping[PurePosixPath, PhotoRejected], total: int, source: PhotoSource) -> None:
    """Raise UsageError where so many of the files are no usable photos that they cannot be left out."""
    panoramas = [str(name) for name, why in rejected.items() if isinstance(why, Panorama)]
    if len(panoramas) > MOST_PANORAMAS * total:
        raise UsageError(
            reasons.NOT_PINHOLE_PHOTOS,
            f"{source}: {len(panoramas)} of {total} photos are 360° panoramas ({listed(panoramas)}); cut plane pictures out of "
            "them, such as the six sides of a cube, or take photos without stitching",
        )
    damaged = [why for why in rejected.values() if not isinstance(why, PhotoTooSmall | Panorama)]
    if len(damaged) > MOST_DAMAGED * total or (rejected and total - len(rejected) < source.limits.min_photos):
        wrong = [f"{name} {why}" for name, why in rejected.items()]
        raise UsageError(reasons.INPUT_REJECTED, f"{source}: {listed(wrong)}; replace or remove such files")


def _without_thumbnails(photos: Named, left_out: LeftOut, limits: InputLimits) -> PreparedPhotos:
    found = thumbnails({name: max(photo.width, photo.height) for name, photo in photos})
    kept = [(name, photo) for name, photo in photos if name not in found]
    if len(kept) < limits.min_photos:
        return PreparedPhotos(photos, left_out)
    for name, photo in photos:
        if name in found:
            photo.file.unlink()
    return PreparedPhotos(kept, {**left_out, **found})


def _jobs(files: Mapping[PurePosixPath, Path]) -> list[Job]:
    masks = masks_of(files)
    hiding = set(masks.values())
    photos = [name for name in files if name not in hiding]
    return [
        Job(index, name, files[name], files[masks[name]] if name in masks else None)
        for index, name in enumerate(photos)
    ]


def _with_one_scale(
    prepared: Named,
    jobs: Mapping[PurePosixPath, Job],
    run: Run,
    folder: Path,
    source: PhotoSource,
    progress: Progress,
) -> Named:
    """Prepare deep photos again that use fewer bits than others do, since a set comes from one camera."""
    most = max((photo.value_bits or 0 for _, photo in prepared), default=0)
    darker = [i for i, (_, photo) in enumerate(prepared) if photo.value_bits is not None and photo.value_bits < most]
    again = run(_preparation(folder, source, progress, most), [jobs[prepared[i][0]] for i in darker])
    for i, result in zip(darker, again, strict=True):
        if isinstance(result, PhotoRejected):  # the file has changed meanwhile
            raise UsageError(reasons.INPUT_REJECTED, f"{source}: {prepared[i][0]} {result}; replace or remove it")
        prepared[i] = prepared[i][0], result
    return prepared


def _preparation(
    folder: Path, source: PhotoSource, progress: Progress, value_bits: int | None = None
) -> Callable[[Job], Prepared | PhotoRejected]:
    """Return what writes one photo into the folder."""
    real = resolved(source)

    def read(path: Path) -> AbstractContextManager[BufferedReader]:
        # Unpacked files lie in the scene, outside the source's root.
        return opened(path, source if path.is_relative_to(real) else PhotoSource(path, limits=source.limits))

    def prepare(job: Job) -> Prepared | PhotoRejected:
        limits, target = source.limits, folder / f"{job.index:05d}"
        try:
            is_pair = job.name.suffix.lower() == stereo_pair.SUFFIX
            treatment = Treatment(value_bits, _mask(job, read, limits), is_pair)
            with read(job.path) as file:
                return prepare_photo(file, job.path, target, limits, progress.check_cancelled, treatment)
        except PhotoRejected as rejection:
            return rejection

    return prepare


def _mask(job: Job, read: Read, limits: InputLimits) -> Image.Image | None:
    if job.mask is None:
        return None
    with read(job.mask) as file:
        try:
            return read_mask(file, limits)
        except ValueError as error:
            raise PhotoRejected(f"has a mask that {error}") from error


@contextmanager
def _threads() -> Iterator[Run]:
    """Yield a parallel `map`; what has not begun is dropped when the block is left early."""
    pool = ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1), thread_name_prefix="photos")
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
