"""Choosing the photos among an input's files, from their names alone."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NoReturn

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.file_formats import Kind, kind_of
from recon_worker.inputs.limits import InputLimits

NAMED_FILES = 5
"""How many files a message names."""


def choose_photos(names: Iterable[PurePosixPath], label: object, limits: InputLimits) -> list[PurePosixPath]:
    """Return the names of the photos, in the order in which a person would list them.

    What is no photo is left out. A HEIC or raw photo beside a JPEG of the same name is left out too; alone, it would be
    missing in the reconstruction, so it is refused. Raises `UsageError`: INPUT_REJECTED or TOO_FEW_PHOTOS.
    """
    kinds = {name: kind_of(name) for name in names}
    photos = sorted((name for name, kind in kinds.items() if kind is Kind.PHOTO), key=natural_order)
    have = {name.with_suffix("") for name in photos}
    unsupported = [n for n, kind in kinds.items() if kind is Kind.OTHER_PHOTO and n.with_suffix("") not in have]
    if unsupported:
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{label}: {listed(map(str, unsupported))} can't be read yet; convert HEIC and raw photos to JPEG",
        )
    if not photos:
        raise UsageError(reasons.INPUT_REJECTED, f"{label} holds no photos{_instead(Counter(kinds.values()))}")
    if len(photos) > limits.max_photos:
        raise UsageError(
            reasons.INPUT_REJECTED, f"{label} holds {len(photos)} photos; at most {limits.max_photos} are taken"
        )
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
    if kind is Kind.PHOTO:
        raise UsageError(
            reasons.TOO_FEW_PHOTOS, f"{label} is a single photo; name a folder of {limits.min_photos} or more"
        )
    if kind is Kind.VIDEO:
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{label} is a video; videos can't be read yet, extract its frames: "
            "ffmpeg -i VIDEO -vf fps=2 frame-%04d.jpg",
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


def _instead(kinds: Counter[Kind]) -> str:
    if kinds[Kind.VIDEO]:
        return " but a video; videos can't be read yet, extract its frames: ffmpeg -i VIDEO -vf fps=2 frame-%04d.jpg"
    if kinds[Kind.ARCHIVE] or kinds[Kind.OTHER_ARCHIVE]:
        return " but an archive; name the archive itself"
    return "; JPEG, PNG, TIFF, WebP, AVIF and BMP files are taken, by their file extension"
