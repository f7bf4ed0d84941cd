"""Files of an input that are not used though they are no mistake: which, and why, for the report and the status."""

import statistics
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

from recon_api import reasons
from recon_api.payload import JobWarning
from recon_api.printable import printable
from recon_worker.inputs.file_formats import Kind, kind_of, photos_among
from recon_worker.progress import Progress

LeftOut = Mapping[PurePosixPath, str]
"""Why each file is left out, continuing a sentence that begins with its name."""

THUMBNAIL = 8
"""A picture that is so many times smaller than most is a thumbnail or an icon of theirs."""

REPORTED = 100
"""How many files a report names."""

SHOWN = 3
"""How many the status names."""

_BY_KIND = {
    Kind.OTHER_PHOTO: "can't be read yet; the JPEG of the same name is used",
    Kind.HEIF_PHOTO: "is also there as a JPEG of the same name, which is used",
    Kind.VIDEO: "is a video",
    Kind.ARCHIVE: "is an archive within the input",
    Kind.OTHER_ARCHIVE: "is an archive within the input",
}


def left_out_by_name(names: Collection[PurePosixPath]) -> LeftOut:
    """Return the photos, videos and archives among these files that are not taken; other files are nobody's photos."""
    photos = set(photos_among(names))
    kinds = {name: kind_of(name) for name in names if name not in photos}
    return {name: _BY_KIND[kind] for name, kind in kinds.items() if kind in _BY_KIND}


def thumbnails(sides_px: Mapping[PurePosixPath, int]) -> LeftOut:
    """Return the pictures that are much smaller than most, by the longer sides of all."""
    usual = statistics.median(sides_px.values()) if sides_px else 0
    return {
        name: f"is {side} pixels long, and most photos {usual:.0f}: it is a thumbnail"
        for name, side in sides_px.items()
        if side * THUMBNAIL <= usual
    }


def reported(left_out: LeftOut) -> dict[str, str]:
    """Return the first of them as a report has them, with how many more there are."""
    shown = {printable(str(name)): printable(why) for name, why in list(left_out.items())[:REPORTED]}
    more = len(left_out) - len(shown)
    return shown | ({"...": f"and {more} more"} if more else {})


def report_left_out(left_out: LeftOut, progress: Progress) -> dict[str, dict[str, str]]:
    """Warn of the files, and return them as a figure of the report; do neither where there are none."""
    if not left_out:
        return {}
    progress.warn(left_out_warning(left_out))
    return {"unused_files": reported(left_out)}


def left_out_warning(left_out: LeftOut) -> JobWarning:
    """Return the warning that names the first of them, and how many more there are."""
    shown = [f"{printable(name.name)} {printable(why)}" for name, why in list(left_out.items())[:SHOWN]]
    more = len(left_out) - len(shown)
    files = "1 file is" if len(left_out) == 1 else f"{len(left_out)} files are"
    others = f"; and {more} more, which report.json names" if more else ""
    return JobWarning(reason=reasons.PHOTOS_LEFT_OUT.name, message=f"{files} not used: {'; '.join(shown)}{others}")
