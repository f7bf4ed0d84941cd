"""Trying, before any work, that a result can be published: with a small folder, by the operations that publish.

The folder is made and synced where results are sealed, renamed to a place beside the destination, and given the
destination's names there: what the file system would refuse at the end, it refuses now. No reader sees it, as its name is
hidden.
"""

import errno
import hashlib
import logging
import shutil
from pathlib import Path

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.files.atomic_folder import begin, complete, remove, sync_folder
from recon_worker.files.manifest import MANIFEST

TRIAL_BYTES = 4096
"""One block of most file systems: a full one has none."""

NAME_REFUSED = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)
"""What a file system says that can hold nothing of that name, however much space it has."""

logger = logging.getLogger(__name__)


def try_publishing(folder: Path, work: Path, uid: str, attempt: int) -> None:
    """Publish a small folder beside `folder` and remove it. Raises `UsageError` where another `folder` would do, else OSError."""
    parent = next(each for each in folder.parents if each.exists())
    trial = parent / _name(folder, uid)
    remove_trial(folder, uid)
    _refuse_mount_point(folder)
    sealed = _sealed_trial(work, attempt)
    try:
        _rename(sealed, trial, folder)
        _make_names(trial, folder.relative_to(parent))
        sync_folder(parent)
    finally:
        remove(sealed)
        shutil.rmtree(trial, ignore_errors=True)
    if trial.exists():
        logger.warning("%s could not be removed", trial)


def remove_trial(folder: Path, uid: str) -> None:
    """Remove what an attempt of the job has left that died while it tried to publish to `folder`, if it can be removed."""
    for parent in folder.parents:
        shutil.rmtree(parent / _name(folder, uid), ignore_errors=True)


def _name(folder: Path, uid: str) -> str:
    return f".trial-{hashlib.sha256(f'{uid} {folder}'.encode()).hexdigest()[:16]}.tmp"


def _refuse_mount_point(folder: Path) -> None:
    """Refuse an existing folder that cannot be moved away for a new result."""
    if folder.is_dir() and folder.lstat().st_dev != folder.parent.stat().st_dev:
        raise _other_file_system(folder)


def _sealed_trial(work: Path, attempt: int) -> Path:
    """Return a complete folder where results are sealed, which `remove_drafts` finds if a death leaves it."""
    work.mkdir(parents=True, exist_ok=True)
    sealed = work / f"attempt-{attempt}-trial.tmp"
    remove(sealed)
    begin(sealed)
    try:
        (sealed / MANIFEST).write_bytes(bytes(TRIAL_BYTES))
        complete(sealed)
    except OSError:
        remove(sealed)
        raise
    return sealed


def _rename(sealed: Path, trial: Path, folder: Path) -> None:
    try:
        sealed.rename(trial)
    except OSError as error:
        if error.errno == errno.EXDEV:
            raise _other_file_system(folder) from error
        raise


def _make_names(trial: Path, names: Path) -> None:
    """Make the destination's own name, and those of the folders that are missing around it, with a file at the end."""
    try:
        (trial / names).mkdir(parents=True)
        (trial / MANIFEST).rename(trial / names / MANIFEST)
    except OSError as error:
        if error.errno in NAME_REFUSED:
            raise UsageError(
                reasons.INVALID_SPEC,
                f"the storage cannot hold an output folder {str(names)!r} ({error.strerror}); name another in output.path",
            ) from error
        raise


def _other_file_system(folder: Path) -> UsageError:
    return UsageError(
        reasons.NOT_SUPPORTED,
        f"output folder {folder.name!r} lies on another file system than the storage's work folder, and a result is "
        "published by one rename, which cannot lead from one to another; name a folder outside of that mounted volume "
        "in output.path",
    )
