"""Finding the files of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.file_formats import is_clutter
from recon_worker.inputs.source import PhotoSource, reading


def list_folder(folder: Path, source: PhotoSource) -> list[PurePosixPath]:
    """Return the names of all files below `folder`, relative to it; hidden ones and desktops' clutter are left out.

    Links to folders are not followed. Raises `UsageError` where a folder can't be read or holds too many entries.
    """
    names: list[PurePosixPath] = []
    for name in _walk(folder, PurePosixPath(), source):
        names.append(name)
        if len(names) > source.limits.max_entries:
            raise UsageError(
                reasons.INPUT_REJECTED, f"{source} holds more than {source.limits.max_entries} files; leave photos only"
            )
    return names


def _walk(folder: Path, prefix: PurePosixPath, source: PhotoSource) -> Iterator[PurePosixPath]:
    with reading(source, str(prefix) if prefix.parts else ""):
        entries = [entry for entry in os.scandir(folder) if not is_clutter(entry.name)]
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry), prefix / entry.name, source)
        else:
            yield prefix / entry.name
