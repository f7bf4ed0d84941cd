"""What a file seems to be, by its name. Its content has the last word on photos (see `photo`)."""

from collections.abc import Collection
from enum import Enum, auto
from pathlib import PurePosixPath

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".pjpeg", ".pjp", ".mpo", ".jps"})
"""Chrome on Windows saves JPEG files as .jfif; .mpo and .jps hold stereo pairs."""
PHOTO_SUFFIXES = JPEG_SUFFIXES | {".png", ".tif", ".tiff", ".webp", ".bmp", ".avif"}
HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
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
OTHER_PHOTO_SUFFIXES = RAW_SUFFIXES | {".jxl", ".jp2", ".jpx"}
"""Photos that can't be read yet."""
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".insv", ".3gp"})
ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"})
OTHER_ARCHIVE_SUFFIXES = frozenset({".7z", ".rar", ".zst", ".tzst"})

_CLUTTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})


class Kind(Enum):
    """What a file seems to be."""

    PHOTO = auto()
    HEIF_PHOTO = auto()
    OTHER_PHOTO = auto()
    VIDEO = auto()
    ARCHIVE = auto()
    OTHER_ARCHIVE = auto()
    IGNORED = auto()


_SUFFIXES = {
    Kind.PHOTO: PHOTO_SUFFIXES,
    Kind.HEIF_PHOTO: HEIF_SUFFIXES,
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


def photos_among(names: Collection[PurePosixPath]) -> list[PurePosixPath]:
    """Return the photos that can be read; of a HEIC photo and one with its name in another format, only the latter."""
    kinds = {name: kind_of(name) for name in names}
    others = {name.stem.lower() for name, kind in kinds.items() if kind is Kind.PHOTO}
    return [
        name
        for name, kind in kinds.items()
        if kind is Kind.PHOTO or (kind is Kind.HEIF_PHOTO and name.stem.lower() not in others)
    ]


def is_read(name: PurePosixPath) -> bool:
    """Say whether the file seems to be a photo of a kind that is read."""
    return kind_of(name) in (Kind.PHOTO, Kind.HEIF_PHOTO)


def is_clutter(part: str) -> bool:
    """Say whether one part of a path is hidden, or left by a desktop."""
    return part.startswith(".") or part.lower() in _CLUTTER
