"""Photos for the demo: of an object whose shape is known exactly, or a person's own."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from recon_dev import ground_truth
from recon_dev.errors import DevError
from recon_dev.go_build import cache_dir
from recon_dev.ground_truth.photos import PhotoSetSpec, render_photo_set
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.sets import render_scene_set

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif"})


def known_photo_set(
    spec: PhotoSetSpec, on_progress: Callable[[float], None] = lambda _: None, *, threads: int = 2
) -> Path:
    """Return the folder of a photo set of known shape in the cache, rendered where it is missing (see `recon_dev.ground_truth`)."""
    sources = Path(ground_truth.__file__).parent.glob("*.py")
    render = partial(render_photo_set, spec=spec, on_progress=on_progress, threads=threads)
    return _cached(_digest(repr(spec), sources), render)


def known_scene_set(spec: SceneSet, on_progress: Callable[[float], None] = lambda _: None) -> Path:
    """Return the folder of a photo set of a known scene in the cache, rendered where it is missing (`ground_truth.scenes`)."""
    sources = Path(ground_truth.__file__).parent.rglob("*.py")
    key = f"{spec.name} {spec.size} {spec.coarseness}"  # the rest of a set is in the sources
    return _cached(_digest(key, sources), partial(render_scene_set, spec=spec, on_progress=on_progress))


def _cached(digest: str, render: Callable[[Path], None]) -> Path:
    folder = cache_dir() / "photo-sets" / digest
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".rendering-") as draft:
            render(Path(draft) / "set")
            with suppress(OSError):  # another process was quicker, with the same photos
                (Path(draft) / "set").rename(folder)
    return folder


def _digest(key: str, sources: Iterable[Path]) -> str:
    """Return a digest of what names a photo set and of the code that draws it."""
    return hashlib.sha256(b"\0".join([key.encode(), *(s.read_bytes() for s in sorted(sources))])).hexdigest()[:16]


def photos_in(folder: Path) -> list[Path]:
    """Return the photos that lie in a folder, by name. Raises DevError where there are none."""
    if not folder.is_dir():
        raise DevError(f"{folder} is not a folder\nGive a folder with the photos of one object or place.")
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
    if not found:
        raise DevError(f"there are no photos in {folder}\nLooked for {', '.join(sorted(PHOTO_SUFFIXES))}.")
    return found


def put_photos(photos: list[Path], folder: Path) -> None:
    """Make the folder hold just these photos: as hard links where the disk is the same, else as copies."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for photo in photos:
        target = folder / photo.name
        try:
            os.link(photo.resolve(), target)
        except OSError:
            shutil.copy(photo, target)
