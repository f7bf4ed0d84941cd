"""Folders that appear whole or not at all, whichever process dies, and whichever else still writes.

A draft is filled under a name that nobody reads and renamed once all of it is on disk. An attempt that is believed dead
may wake up in the middle of one that was removed since: a mark in the draft, gone with it, keeps such a half from ever
being finished.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

MARK = ".unfinished"
"""File of a draft that is still the one that was begun."""

REMOVED = ".removed-*.tmp"
"""Folders that are being removed; of one that a death left, nothing is needed."""

logger = logging.getLogger(__name__)


def begin(draft: Path) -> None:
    """Make the draft's folder. Raises OSError where it exists, or the folder around it does not."""
    draft.mkdir()
    (draft / MARK).touch()


def complete(draft: Path, check: Callable[[], None] = lambda: None) -> None:
    """Have the disk hold all of the draft, which is then ready for its final name.

    `check` is called for each file and may raise. Raises FileNotFoundError where the draft was removed since `begin`, even
    if something was written there afterwards.
    """
    (draft / MARK).unlink()
    for file in _files(draft):
        check()
        with file.open("rb") as content:
            os.fsync(content.fileno())
    for below in [*(path for path in draft.rglob("*") if path.is_dir()), draft]:
        sync_folder(below)


def sync_folder(folder: Path) -> None:
    """Have the disk hold the folder's own entries: which names there are."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(folder: Path) -> None:
    """Remove the folder at once, if it is there: whoever still writes in it fails, and can't finish a part of it.

    What a death left of an earlier removal goes too.
    """
    doomed = folder.with_name(REMOVED.replace("*", folder.name))
    shutil.rmtree(doomed, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)
    if doomed.exists():
        logger.warning("%s could not be removed", doomed)


def visible_files(folder: Path) -> list[Path]:
    """Return the files below the folder, in order, without hidden ones."""
    return [f for f in _files(folder) if not any(part.startswith(".") for part in f.relative_to(folder).parts)]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
