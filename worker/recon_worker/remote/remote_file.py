"""A remote file: opened at a position, read in chunks; and who must act when that fails."""

import errno
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from aiohttp import InvalidURL

from recon_api import reasons
from recon_api.errors import FatalError, ReconstructionError, TransientError, UsageError
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.locations import RemoteLocation

CHUNK_BYTES = 256 << 10


@dataclass(frozen=True)
class Opened:
    """A file that is being read."""

    start: int
    """Position of the first byte that comes."""
    size: int | None
    """Of the whole file, where the server says it."""
    version: str
    """What tells it from a changed one: ETag, or size and time of change; empty where the server says nothing."""
    chunks: AsyncIterator[bytes]


class RemoteFile(Protocol):
    """A file on a server."""

    @property
    def name(self) -> PurePosixPath:
        """Its name, relative to what the URL names."""

    @property
    def size(self) -> int:
        """In bytes; 0 where that shows only once it is opened."""

    def open(self, start: int, version: str) -> AbstractAsyncContextManager[Opened]:
        """Open it at a position if it still has that version, else at its start."""


REFUSED = (errno.EINVAL, errno.EREMCHG)
"""How s3fs calls a request that S3 takes for a wrong one (400), such as with a token that has expired, or in another region (301)."""


def classify_error(location: RemoteLocation, error: Exception, guard: AddressGuard) -> ReconstructionError:
    """Return an error of the network or of a server as one of the four kinds."""
    if isinstance(error, ReconstructionError):
        return error
    if isinstance(error, AttributeError | LookupError | NameError | TypeError | AssertionError):
        return FatalError(reasons.RECONSTRUCTION_FAILED, f"{type(error).__name__}: {error}")
    users = _usage_error(location, error, guard)
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    if location.storage_path is not None and _is_storage_misconfigured(users, error):
        return TransientError(
            reasons.STORAGE_FAILED, f"{location}: {text}; the administrator must set the installation's storage right"
        )
    return users or TransientError(reasons.REMOTE_UNAVAILABLE, f"{location}: {text}")


def _is_storage_misconfigured(users: UsageError | None, error: Exception) -> bool:
    """Say whether the storage itself is wrong: what a user had to mend in a bucket of its own is, except photos that are not there."""
    if users is not None:
        return users.reason is not reasons.INPUT_NOT_FOUND
    return getattr(error, "errno", None) in REFUSED


def _usage_error(location: RemoteLocation, error: Exception, guard: AddressGuard) -> UsageError | None:
    if guard.refusal:
        return UsageError(
            reasons.ADDRESS_NOT_ALLOWED,
            f"{location}: {guard.refusal}; name a public server, or have the host allowed (URL_ALLOWED_PRIVATE_HOSTS)",
        )
    if isinstance(error, InvalidURL):
        return UsageError(
            reasons.ADDRESS_NOT_ALLOWED, f"{location} is not a URL that can be read; write it out in full"
        )
    if isinstance(error, FileNotFoundError):
        missing = reasons.INPUT_NOT_FOUND if location.field_name.startswith("input.") else reasons.INVALID_SPEC
        return UsageError(missing, f"{location} does not exist; check bucket, path and spelling")
    if isinstance(error, PermissionError):
        return access_denied(location)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return UsageError(reasons.ACCESS_DENIED, f"{location}: the workers do not trust the server's certificate")
    return None


def access_denied(location: RemoteLocation) -> UsageError:
    """Return the user's move where a server wants credentials, or others."""
    have = "does not accept the Secret's credentials" if location.credentials.values else "asks for credentials"
    return UsageError(
        reasons.ACCESS_DENIED, f"{location}: the server {have}; name a Secret with valid ones in secretName"
    )


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        nested = [
            value for value in (*error.args, getattr(error, "kwargs", {}).get("error")) if isinstance(value, Exception)
        ]
        found.extend(nested)
        inner = getattr(error, "certificate_error", None) or (nested[0] if nested else None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return found
