"""Names of namespaces, jobs and outputs: each is checked again before it becomes a part of a path."""

import errno
import re
from pathlib import Path, PurePosixPath

from recon_api import reasons
from recon_api.errors import UsageError

NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NO_PATH = {
    errno.ENAMETOOLONG: "the storage cannot hold so long a name; shorten it",
    errno.EINVAL: "the storage cannot hold such a name; name another folder",
    errno.EILSEQ: "the storage cannot hold such a name; name another folder",
    errno.ENOTDIR: "a file lies where it needs a folder; name another, or remove the file",
    errno.ELOOP: "its symbolic links lead in a circle; name another folder",
}
"""What the file system says of a path that can be no folder, and what its owner can do."""

UID = re.compile(r"[A-Za-z0-9][-A-Za-z0-9]{0,63}")


def checked_namespace(namespace: str) -> str:
    """Return the name of a namespace; raise `UsageError(INVALID_SPEC)` where it is none."""
    return _checked(NAMESPACE, namespace, "namespace")


def checked_uid(uid: str) -> str:
    """Return the uid of a job; raise `UsageError(INVALID_SPEC)` where it is none."""
    return _checked(UID, uid, "uid")


def checked_output(path: str) -> PurePosixPath:
    """Return `spec.output.path`; raise `UsageError(INVALID_SPEC)` where it is absolute, leads upwards or is hidden."""
    relative = PurePosixPath(path)
    parts = relative.parts
    if not parts or relative.is_absolute() or "\0" in path or any(part.startswith(".") for part in parts):
        raise UsageError(
            reasons.INVALID_SPEC,
            f"output.path {path!r} must be relative to the namespace's own output folder, without hidden parts",
        )
    return relative


def check_path(path: Path, what: str) -> None:
    """Raise `UsageError(INVALID_SPEC)` where no folder can ever be there: the name is too long, or a file is in the way.

    Raises OSError where the storage has trouble of its own.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in _NO_PATH:
            raise
        raise UsageError(reasons.INVALID_SPEC, f"{what}: {_NO_PATH[error.errno]}") from error


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(reasons.INVALID_SPEC, f"not a {what}: {value!r}")
    return value
