"""Logs of attempts in a folder of outputs: `.logs/<uid>/attempt-<n>.log`.

The name is hidden, so that no job's output path leads there. Other programs may write the folder: no link in it is followed,
and nothing but a regular file is written.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

LOGS = ".logs"

TRIES = 100
"""Another job's logs may be removed meanwhile, and with them the folder of all, which is empty then."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
"""A named pipe that nobody reads would otherwise block the attempt."""


def log_name(attempt: int) -> str:
    """Return the name of an attempt's log in the folder of its job."""
    return f"attempt-{attempt}.log"


def open_log(outputs: Path, uid: str, attempt: int) -> BinaryIO:
    """Open the log of an attempt, unbuffered and at its end, below a namespace's folder of outputs. Raises OSError."""
    outputs.mkdir(parents=True, exist_ok=True)
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return _open(outputs, uid, attempt)
    return _open(outputs, uid, attempt)


def remove_logs(outputs: Path, uid: str) -> None:
    """Remove all logs of a job; does nothing where it has none. Raises OSError."""
    with suppress(FileNotFoundError, NotADirectoryError), _opened(outputs, os.O_RDONLY | os.O_DIRECTORY) as folder:
        with _opened(LOGS, _FOLDER, folder) as logs:
            _remove(uid, logs)
        with suppress(OSError):
            os.rmdir(LOGS, dir_fd=folder)


def _remove(name: str, parent: int) -> None:
    if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        shutil.rmtree(name, dir_fd=parent)
    else:
        os.unlink(name, dir_fd=parent)


def _open(outputs: Path, uid: str, attempt: int) -> BinaryIO:
    with (
        _opened(outputs, os.O_RDONLY | os.O_DIRECTORY) as folder,
        _made(LOGS, folder) as logs,
        _made(uid, logs) as of_job,
    ):
        descriptor = os.open(log_name(attempt), _LOG, 0o666, dir_fd=of_job)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileExistsError(f"no regular file: {outputs / LOGS / uid / log_name(attempt)}")
    return os.fdopen(descriptor, "ab", buffering=0)


@contextmanager
def _made(name: str, parent: int) -> Iterator[int]:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
    with _opened(name, _FOLDER, parent) as descriptor:
        yield descriptor


@contextmanager
def _opened(path: str | Path, flags: int, parent: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
