"""Publishing a sealed folder: it takes the place of an earlier result, so that a reader sees all of one or of the other."""

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.files.atomic_folder import sync_folder
from recon_worker.files.manifest import MANIFEST, Manifest, manifest_of, read_manifest


def check_destination(folder: Path, namespace_folder: Path) -> None:
    """Raise `UsageError(INVALID_SPEC)` where publishing there would remove or hide files that are no job's result."""
    inside = next((p for p in folder.parents if p.is_relative_to(namespace_folder) and (p / MANIFEST).exists()), None)
    if inside is not None:
        raise UsageError(
            reasons.INVALID_SPEC, f"output folder {folder.name!r} would lie in another job's result {inside.name!r}"
        )
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise UsageError(
            reasons.INVALID_SPEC, f"output folder {folder.name!r} is a file or a dead link; name another, or remove it"
        )
    if folder.exists() and any(folder.iterdir()) and read_manifest(folder) is None:
        raise UsageError(
            reasons.INVALID_SPEC, f"output folder {folder.name!r} holds files that no job has published; name another"
        )


def publish(sealed: Path, folder: Path, fence: Callable[[], None]) -> Manifest:
    """Put the sealed folder in place of `folder`; return its manifest.

    `fence` is called last and raises where this attempt may not publish any more. A death between the two renames leaves
    the job without a result and its sealed folder in place: the next attempt publishes it.
    """
    manifest = manifest_of(sealed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fence()
    _swap(sealed, folder, _replaced(folder, manifest.uid))
    sync_folder(folder.parent)
    remove_replaced(folder, manifest.uid)
    return manifest


def _swap(sealed: Path, folder: Path, replaced: Path) -> None:
    sealed.stat()  # gone where a later attempt has published it since the fence, and its result must stay
    if folder.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        folder.rename(replaced)
    try:
        sealed.rename(folder)
    except OSError:
        with contextlib.suppress(OSError):
            replaced.rename(folder)
        shutil.rmtree(replaced, ignore_errors=True)
        raise


def remove_replaced(folder: Path, uid: str) -> None:
    """Remove the earlier result that the job's own has replaced, if a death left it beside the folder."""
    shutil.rmtree(_replaced(folder, uid), ignore_errors=True)


def _replaced(folder: Path, uid: str) -> Path:
    """Return where the job sets an earlier result aside: a place that no other job uses, and that a later attempt finds."""
    digest = hashlib.sha256(f"{uid} {folder.name}".encode()).hexdigest()[:16]
    return folder.with_name(f".replaced-{digest}.old")
