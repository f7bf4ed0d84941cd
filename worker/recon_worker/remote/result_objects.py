"""The objects of one result in a bucket: every call is tried again, and every error is one of the four kinds.

manifest.json    written last, removed last: what it names is there and whole
.uploading       whose result is being made: the attempt's task id, then, once objects are written, its manifest, which also
                 names what earlier results have left there

So a reader sees a whole result or none, and what an upload has left that was broken off is known.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from recon_api import reasons
from recon_api.errors import TransientError
from recon_worker.files.manifest import MANIFEST, Manifest
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.bucket_access import opened_bucket
from recon_worker.remote.fetch import FIRST_WAIT_S, TRIES
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.remote_file import classify_error

MARK = ".uploading"
"""Object that says that a result is being made, and shows before any work that the credentials let it be written."""

LARGEST_READ = 16 << 20
"""Bytes of the largest object that is read here; a larger one is none of ours."""

LOGS_WITHIN_S = 30.0
"""How long the end of an attempt waits for its log to be written, and a worker for logs to be removed."""

T = TypeVar("T")


class Objects:
    """What lies below the URL of a result."""

    def __init__(self, location: RemoteLocation, files: Any, guard: AddressGuard) -> None:
        """Use fsspec's file system `files`, opened through the guard."""
        self._location, self._guard, self._files = location, guard, files
        self._base = f"{location.bucket}/{location.path}".rstrip("/")

    async def read(self, name: str) -> bytes | None:
        """Return an object, None where it is not there, is too large or may not be read; the storage's own may always be."""
        hidden = (PermissionError,) if self._location.storage_path is None else ()

        async def read() -> bytes | None:
            with suppress(FileNotFoundError, *hidden):
                info = await self._files._info(self._path(name))  # noqa: SLF001 - fsspec's names for its own asynchronous half
                if info["type"] == "file" and info["size"] <= LARGEST_READ:
                    return bytes(await self._files._cat_file(self._path(name), start=0, end=LARGEST_READ))  # noqa: SLF001
            return None

        return await self._call(read)

    async def put(self, name: str, content: bytes, media_type: str) -> None:
        """Write an object."""
        await self._call(lambda: self._files._pipe_file(self._path(name), content, **self._typed(media_type)))  # noqa: SLF001

    async def put_file(self, name: str, file: Path, media_type: str) -> None:
        """Write a file as an object."""
        await self._call(lambda: self._files._put_file(str(file), self._path(name), **self._typed(media_type)))  # noqa: SLF001

    async def remove(self, name: str) -> None:
        """Remove an object, if it is there."""

        async def remove() -> None:
            with suppress(FileNotFoundError):
                await self._files._rm_file(self._path(name))  # noqa: SLF001

        await self._call(remove)

    async def remove_all(self) -> None:
        """Remove every object below the URL."""
        found = await self._call(lambda: self._files._find(self._base))  # noqa: SLF001
        for path in found:
            await self.remove(path.removeprefix(f"{self._base}/"))

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _typed(self, media_type: str) -> dict[str, str]:
        return {"ContentType": media_type} if self._location.scheme == "s3" else {}

    async def _call(self, make: Callable[[], Awaitable[T]]) -> T:
        for number in range(1, TRIES + 1):
            try:
                return await make()
            except Exception as error:
                move = classify_error(self._location, error, self._guard)
                passes = isinstance(move, TransientError) and move.reason is not reasons.STORAGE_FAILED
                if not passes or number == TRIES:
                    raise move from error
                await asyncio.sleep(FIRST_WAIT_S * 2**number)
        raise AssertionError("not reached")


def put_log(location: RemoteLocation, name: str, content: bytes) -> None:
    """Write a log below the URL. Raises the errors of `recon_api.errors`, and `TimeoutError` after `LOGS_WITHIN_S`."""

    async def put() -> None:
        async with asyncio.timeout(LOGS_WITHIN_S), opened_objects(location) as objects:
            await objects.put(name, content, "text/plain")

    asyncio.run(put())


def remove_logs(location: RemoteLocation) -> None:
    """Remove every log below the URL. Raises the same."""

    async def remove() -> None:
        async with asyncio.timeout(LOGS_WITHIN_S), opened_objects(location) as objects:
            await objects.remove_all()

    asyncio.run(remove())


@asynccontextmanager
async def opened_objects(location: RemoteLocation) -> AsyncIterator[Objects]:
    """Yield the objects below the URL. Raises the errors of `recon_api.errors`."""
    guard = AddressGuard({host.lower() for host in location.policy.allowed_hosts})
    async with opened_bucket(location, guard) as files:
        yield Objects(location, files, guard)


def is_mark_of(mark: bytes, uid: str) -> bool:
    """Say whether the mark is one of the job's attempts'."""
    begun = manifest_in(mark)
    return begun.uid == uid if begun is not None else mark.startswith(f"{uid}.".encode())


def manifest_in(content: bytes | None) -> Manifest | None:
    """Return the manifest that an object holds, None where it is none of ours."""
    try:
        return Manifest.model_validate_json(content) if content else None
    except ValidationError:
        return None


def names_in(manifest: Manifest | None) -> set[str]:
    """Return the names of a result's objects but the manifest; a bucket's word leads to none beside them."""
    files = manifest.files if manifest else ()
    return {file.name for file in files if file.name not in (MANIFEST, MARK) and ".." not in file.name.split("/")}
