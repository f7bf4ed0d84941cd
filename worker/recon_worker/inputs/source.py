"""Where a job's photos come from, and opening a file there without being led elsewhere."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path, PurePosixPath

from recon_api import reasons
from recon_api.errors import TransientError, UsageError
from recon_worker.inputs.limits import InputLimits


@dataclass(frozen=True)
class PhotoSource:
    """A folder or an archive of photos."""

    path: Path
    root: Path = Path("/")
    """Nothing outside of this folder is read, whatever the links in `path` say."""
    label: str = ""
    """What messages call it; the path where empty."""
    limits: InputLimits = field(default_factory=InputLimits)

    def __str__(self) -> str:
        return self.label or str(self.path)


def source_in(folder: Path, path: str, limits: InputLimits) -> PhotoSource:
    """Return the source that `spec.input.path` names in the namespace's own folder.

    Raises `UsageError(INPUT_REJECTED)` where it is absolute or leads upwards.
    """
    return PhotoSource(folder / checked_path(path), root=folder, label=f"input.path {path!r}", limits=limits)


def checked_path(path: str) -> PurePosixPath:
    """Return `spec.input.path`; raise `UsageError(INPUT_REJECTED)` where it is absolute or leads upwards."""
    relative = PurePosixPath(path)
    if not path or "\0" in path or relative.is_absolute() or ".." in relative.parts:
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"input.path {path!r} must be relative to the namespace's own input folder, without '..'",
        )
    return relative


@contextmanager
def opened(path: Path, source: PhotoSource) -> Iterator[BufferedReader]:
    """Open a regular file within the source's root for reading.

    Raises `UsageError`: INPUT_NOT_FOUND, INPUT_UNREADABLE, or INPUT_REJECTED where it is another kind of file, or where
    it lies outside of the root. The check is on the open file, so nobody can swap a link in between.
    """
    name = relative_name(path, source)
    with reading(source, name):
        # Without O_NONBLOCK a named pipe would wait for its writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(reasons.INPUT_REJECTED, f"{source}: {name} is not a regular file; remove it")
        _refuse_outside(Path(f"/proc/self/fd/{descriptor}").readlink(), source, name)
        yield file


def resolved(source: PhotoSource) -> Path:
    """Return where the source really is, once that is known to exist within its root."""
    with reading(source):
        real = Path(os.path.realpath(source.path, strict=True))
    _refuse_outside(real, source, "it")
    return real


@contextmanager
def reading(source: PhotoSource, name: str = "") -> Iterator[None]:
    """Turn what the file system says about the source, or the file `name` in it, into whose move it is."""
    what = f"{source}: {name}" if name else str(source)
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(reasons.INPUT_NOT_FOUND, f"{what}: no such folder or archive{_where(source)}") from error
    except PermissionError as error:
        raise UsageError(
            reasons.INPUT_UNREADABLE, f"{what} may not be read by the workers; allow it for user id {os.geteuid()}"
        ) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(reasons.INPUT_REJECTED, f"{what}: its symbolic links lead in a circle") from error
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(reasons.INPUT_NOT_FOUND, f"{what}: no file system holds so long a name") from error
        raise TransientError(reasons.STORAGE_FAILED, f"{what} could not be read: {error.strerror}") from error


def _where(source: PhotoSource) -> str:
    """Return where the source was looked for, as people know it who fill the storage; the workers' own path says nothing."""
    if source.root == Path("/"):
        return ""  # a path of this machine, which the message names already
    place = (*source.root.parts[-2:], *source.path.relative_to(source.root).parts)
    return f"; it was looked for at {'/'.join(place)} in the storage"


def relative_name(path: Path, source: PhotoSource) -> str:
    """Return what a message calls a file of the source."""
    return path.relative_to(source.path).as_posix() if path.is_relative_to(source.path) else path.name


def _refuse_outside(real: Path, source: PhotoSource, name: str) -> None:
    if not real.is_relative_to(source.root.resolve()):
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{source}: {name} is a symbolic link that leads outside of the namespace's input folder; "
            "replace the link by the file",
        )
