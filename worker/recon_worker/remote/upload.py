"""Publishing a result to a bucket, so that a reader who looks for its manifest sees all of it or nothing.

Objects are written one by one, the manifest last; an earlier manifest goes first. An upload that was broken off is done again from
its start: what it writes is the same.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from recon_api.errors import TransientError
from recon_worker.progress import Progress
from recon_worker.publish import MANIFEST, Manifest
from recon_worker.remote.addresses import Gate
from recon_worker.remote.buckets import opened_bucket
from recon_worker.remote.fetch import FIRST_WAIT_S, TRIES, stoppable
from recon_worker.remote.files import whose_move
from recon_worker.remote.places import Place

MARK = ".uploading"
"""Object that says that a result is being made, and shows before any work that the credentials let it be written."""

LARGEST_MANIFEST = 16 << 20

T = TypeVar("T")


def announce(place: Place, task: str, check: Callable[[], None]) -> None:
    """Write the mark where a result will be. Raises the errors of `recon_api.errors`."""
    asyncio.run(stoppable(_announce(place, task), place, check))


def upload(place: Place, folder: Path, manifest: Manifest, fence: Callable[[], None], progress: Progress) -> None:
    """Publish a sealed folder below the URL. Does nothing where that was done before.

    `fence` raises where this attempt may not publish; it is asked before the first object and before the manifest.
    """
    asyncio.run(stoppable(_upload(place, folder, manifest, fence, progress), place, progress.check_cancelled))


class _Bucket:
    """A bucket whose every call is tried again, and whose errors are one of the four kinds."""

    def __init__(self, place: Place, files: Any, gate: Gate) -> None:
        self._place, self._gate, self.files = place, gate, files
        self._base = f"{place.bucket}/{place.path}".rstrip("/")

    def path(self, name: str) -> str:
        return f"{self._base}/{name}"

    async def call(self, make: Callable[[], Awaitable[T]]) -> T:
        for number in range(1, TRIES + 1):
            try:
                return await make()
            except Exception as error:
                move = whose_move(self._place, error, self._gate)
                if not isinstance(move, TransientError) or number == TRIES:
                    raise move from error
                await asyncio.sleep(FIRST_WAIT_S * 2**number)
        raise AssertionError("not reached")

    async def manifest(self) -> bytes | None:
        """Return the manifest that is there, None where there is none or it may not be read."""

        async def read() -> bytes | None:
            with suppress(FileNotFoundError, PermissionError):
                info = await self.files._info(self.path(MANIFEST))  # noqa: SLF001 - fsspec's names for its own asynchronous half
                if info["type"] == "file" and info["size"] <= LARGEST_MANIFEST:
                    return bytes(await self.files._cat_file(self.path(MANIFEST), start=0, end=LARGEST_MANIFEST))  # noqa: SLF001
            return None

        return await self.call(read)

    async def put(self, name: str, content: bytes, media_type: str) -> None:
        await self.call(lambda: self.files._pipe_file(self.path(name), content, **self._typed(media_type)))  # noqa: SLF001

    async def put_file(self, name: str, file: Path, media_type: str) -> None:
        await self.call(lambda: self.files._put_file(str(file), self.path(name), **self._typed(media_type)))  # noqa: SLF001

    async def remove(self, name: str) -> None:
        async def remove() -> None:
            with suppress(FileNotFoundError):
                await self.files._rm_file(self.path(name))  # noqa: SLF001

        await self.call(remove)

    def _typed(self, media_type: str) -> dict[str, str]:
        return {"ContentType": media_type} if self._place.scheme == "s3" else {}


@asynccontextmanager
async def _opened(place: Place) -> Any:
    gate = Gate({host.lower() for host in place.policy.allowed_hosts})
    async with opened_bucket(place, gate) as files:
        yield _Bucket(place, files, gate)


async def _announce(place: Place, task: str) -> None:
    async with _opened(place) as bucket:
        await bucket.put(MARK, task.encode(), "text/plain")


async def _upload(
    place: Place, folder: Path, manifest: Manifest, fence: Callable[[], None], progress: Progress
) -> None:
    async with _opened(place) as bucket:
        text = (folder / MANIFEST).read_bytes()
        before = await bucket.manifest()
        if before != text:
            await asyncio.to_thread(fence)
            if before is not None:
                await bucket.remove(MANIFEST)
            await _put_files(bucket, folder, manifest, progress)
            for name in _names(before) - {file.name for file in manifest.files}:
                await bucket.remove(name)
            await asyncio.to_thread(fence)
            await bucket.put(MANIFEST, text, "application/json")
        with suppress(Exception):  # whoever may write need not be allowed to delete
            await bucket.remove(MARK)


async def _put_files(bucket: _Bucket, folder: Path, manifest: Manifest, progress: Progress) -> None:
    total, done = sum(file.bytes for file in manifest.files), 0
    for file in manifest.files:
        await bucket.put_file(file.name, folder / file.name, file.media_type)
        done += file.bytes
        progress.tick(done / max(total, 1))


def _names(manifest: bytes | None) -> set[str]:
    """Return the objects of an earlier result; nothing where it is no manifest of ours."""
    try:
        found = Manifest.model_validate_json(manifest).files if manifest else ()
    except ValidationError:
        return set()
    return {file.name for file in found if file.name != MANIFEST and ".." not in file.name.split("/")}
