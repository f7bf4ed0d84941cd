"""Removing what a job has published, and nothing of a job that has published to the same folder since.

Another worker may publish there at any moment (`recon_worker.publishing.folder_swap`): it moves the old folder away and its own
into the place. So the folder is opened once, and all below is done to what was opened, wherever it lies by then.
"""

import errno
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from recon_worker.files.manifest import MANIFEST, Manifest
from recon_worker.publishing.trial import remove_trial
from recon_worker.remote.locations import RemoteLocation

logger = logging.getLogger(__name__)

SET_ASIDE = ".replaced-*.old"
"""Results that a later job has moved away to publish its own, if it died before it removed them."""


def remove_published(output: Path | RemoteLocation, uid: str) -> None:
    """Remove a folder, or the objects below a URL, if the job of that uid has published them; the manifest goes last.

    Raises OSError, and of a bucket the errors of `recon_api.errors`.
    """
    if isinstance(output, Path):
        _remove_folder(output, uid)
        remove_trial(output, uid)
    else:
        from recon_worker.remote.existing_results import remove_result  # its libraries are for those who upload only

        remove_result(output, uid)


def _remove_folder(folder: Path, uid: str) -> None:
    for each in (folder, *folder.parent.glob(SET_ASIDE)):
        with suppress(FileNotFoundError, NotADirectoryError), _opened(each) as opened:
            if _publisher(opened) == uid:
                _empty(opened)
                _remove_empty(each)
                logger.info("removed the outputs of job %s, %s", uid, each)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Open a folder, not one that a link leads to."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _publisher(folder: int) -> str:
    """Return the uid in the manifest of an open folder, nothing where there is none that can be read."""
    try:
        with os.fdopen(os.open(MANIFEST, os.O_RDONLY, dir_fd=folder), encoding="utf-8") as manifest:
            return Manifest.model_validate_json(manifest.read()).uid
    except (FileNotFoundError, ValidationError):
        return ""


def _empty(folder: int) -> None:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name == MANIFEST)
    for entry in entries:
        with suppress(FileNotFoundError):  # whoever publishes here removes the same
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.name, dir_fd=folder)
            else:
                os.unlink(entry.name, dir_fd=folder)


def _remove_empty(folder: Path) -> None:
    """Remove the folder, unless another job's result has taken its place."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
