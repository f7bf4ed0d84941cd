"""What a file seems to be, by its name. Its content has the last word on photos (see `photo`)."""

from enum import Enum, auto
from pathlib import PurePosixPath

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo"})
"""Chrome on Windows saves JPEG files as .jfif."""
PHOTO_SUFFIXES = JPEG_SUFFIXES | {".png", ".tif", ".tiff", ".webp", ".bmp", ".avif"}
_RAW_BY_MAKER = {
    "Adobe, and many phones": (".dng",),
    "Canon": (".crw", ".cr2", ".cr3"),
    "Epson": (".erf",),
    "Fujifilm": (".raf",),
    "GoPro": (".gpr",),
    "Hasselblad": (".3fr", ".fff"),
    "Kodak": (".dcr", ".kdc", ".k25"),
    "Leaf, Mamiya, Phase One": (".mef", ".mos", ".iiq", ".cap", ".eip"),
    "Leica": (".rwl",),
    "Minolta": (".mrw",),
    "Nikon": (".nef", ".nrw"),
    "Olympus": (".orf", ".ori"),
    "Panasonic": (".rw2", ".raw"),
    "Pentax": (".pef", ".ptx"),
    "Samsung": (".srw",),
    "Sigma": (".x3f",),
    "Sony": (".arw", ".arq", ".srf", ".sr2"),
}
RAW_SUFFIXES = frozenset(suffix for suffixes in _RAW_BY_MAKER.values() for suffix in suffixes)
OTHER_PHOTO_SUFFIXES = RAW_SUFFIXES | {".heic", ".heif", ".hif", ".jxl", ".jp2", ".jpx"}
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
