"""What a file seems to be, by its name. Its content has the last word on photos (see `photo`)."""

from enum import Enum, auto
from pathlib import PurePosixPath

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp", ".avif"})
OTHER_PHOTO_SUFFIXES = frozenset(
    {".heic", ".heif", ".hif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".jxl"}
)
"""Photos that can't be read yet."""
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".insv", ".3gp"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"})
OTHER_ARCHIVE_SUFFIXES = frozenset({".7z", ".rar", ".zst", ".tzst"})

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})


class Kind(Enum):
    """What a file seems to be."""

    PHOTO = auto()
    OTHER_PHOTO = auto()
    VIDEO = auto()
    ARCHIVE = auto()
    OTHER_ARCHIVE = auto()
    IGNORED = auto()


_SUFFIXES = {
    Kind.PHOTO: PHOTO_SUFFIXES,
    Kind.OTHER_PHOTO: OTHER_PHOTO_SUFFIXES,
    Kind.VIDEO: VIDEO_SUFFIXES,
    Kind.ARCHIVE: ARCHIVE_SUFFIXES,
    Kind.OTHER_ARCHIVE: OTHER_ARCHIVE_SUFFIXES,
}


def kind_of(name: PurePosixPath) -> Kind:
    """Return what the file seems to be; hidden files and the clutter of desktops are ignored."""
    if any(is_clutter(part) for part in name.parts):
        return Kind.IGNORED
    suffix = name.suffix.lower()
    return next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), Kind.IGNORED)


def is_clutter(part: str) -> bool:
    """Say whether one part of a path is hidden, or left by a desktop."""
    return part.startswith(".") or part.lower() in _CLUTTER
