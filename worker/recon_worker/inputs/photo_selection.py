"""Choosing the photos among an input's files, from their names alone."""

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import NoReturn

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.file_formats import Kind, is_read, kind_of, photos_among
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.masks import masks_of

FFMPEG = "ffmpeg -i VIDEO -vf fps=2 -q:v 2 frame-%04d.jpg"
"""Extracts frames; without -q:v, they are compressed so much that few features are left."""

NAMED_FILES = 5
"""How many files a message names."""


def choose_images(names: Iterable[PurePosixPath], label: object, limits: InputLimits) -> list[PurePosixPath]:
    """Return the names of the photos and their masks (see `masks`), in the order in which a person would list them.

    What is no photo is left out. A HEIC or raw photo is left out too where there is a JPEG of the same name, in whatever
    folder; a raw photo alone would be missing in the reconstruction, so it is refused. Raises `UsageError`: INPUT_REJECTED or
    TOO_FEW_PHOTOS.
    """
    kinds = {name: kind_of(name) for name in names}
    photos = sorted(photos_among(kinds), key=natural_order)
    have = {name.stem.lower() for name in photos}
    unsupported = [n for n, kind in kinds.items() if kind is Kind.OTHER_PHOTO and n.stem.lower() not in have]
    if unsupported:
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{label}: {listed(map(str, unsupported))} can't be read yet; convert raw photos to JPEG",
        )
    if not photos:
        raise UsageError(reasons.INPUT_REJECTED, f"{label} holds no photos{_instead(kinds)}")
    count = len(photos) - len(masks_of(photos))
    if count > limits.max_photos:
        raise UsageError(reasons.INPUT_REJECTED, f"{label} holds {count} photos; at most {limits.max_photos} are taken")
    return photos


def refuse_too_few(photos: int, copies: int, label: object, limits: InputLimits) -> None:
    """Raise `UsageError(TOO_FEW_PHOTOS)` where a reconstruction needs more different photos."""
    if photos >= limits.min_photos:
        return
    but = f" beside {copies} identical copies" if copies else ""
    raise UsageError(
        reasons.TOO_FEW_PHOTOS,
        f"{label} holds {photos} photo{'s' * (photos != 1)}{but}; at least {limits.min_photos} are needed, "
        "20 or more from all around give a good model",
    )


def refuse_no_archive(name: PurePosixPath, label: object, limits: InputLimits) -> NoReturn:
    """Raise the `UsageError` of a single file that is no archive: INPUT_REJECTED or TOO_FEW_PHOTOS."""
    kind = kind_of(name)
    if is_read(name):
        raise UsageError(
            reasons.TOO_FEW_PHOTOS, f"{label} is a single photo; name a folder of {limits.min_photos} or more"
        )
    if kind is Kind.VIDEO:
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{label} is a video; videos can't be read yet, extract its frames: {FFMPEG}",
        )
    raise UsageError(reasons.INPUT_REJECTED, f"{label} is neither a folder nor a zip or tar archive that can be read")


def listed(names: Iterable[str]) -> str:
    """Return the first few of the names as text, and how many more there are."""
    every = list(names)
    more = len(every) - NAMED_FILES
    return ", ".join(every[:NAMED_FILES]) + (f" and {more} more" if more > 0 else "")


def natural_order(name: PurePosixPath) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which photo2 comes before photo10."""
    return tuple(
        (0, int(part), part) if part.isdecimal() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name.as_posix())
        if part
    )


def _instead(kinds: Mapping[PurePosixPath, Kind]) -> str:
    def first(*wanted: Kind) -> PurePosixPath | None:
        return next((name for name, kind in kinds.items() if kind in wanted), None)

    if video := first(Kind.VIDEO):
        return f" but a video, {video}; videos can't be read yet, extract its frames: {FFMPEG}"
    if archive := first(Kind.ARCHIVE, Kind.OTHER_ARCHIVE):
        return f" but an archive, {archive}; give that archive itself, or the photos in it"
    return "; JPEG, HEIC, PNG, TIFF, WebP, AVIF and BMP files are taken, by their file extension"
