"""Publishing a result to a bucket, so that a reader who looks for its manifest sees all of it or nothing.

Objects are written one by one, the manifest last; an earlier manifest goes first. An upload that was broken off is done again from
its start: what it writes is the same. Until it is done, the mark says what it writes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from recon_api import reasons
from recon_api.errors import TransientError
from recon_worker.files.manifest import MANIFEST, Manifest
from recon_worker.progress import Progress
from recon_worker.remote.fetch import stoppable
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.result_objects import MARK, Objects, is_mark_of, manifest_in, names_in, opened_objects


def announce(location: RemoteLocation, task: str, check: Callable[[], None]) -> None:
    """Write the mark where a result will be. Raises the errors of `recon_api.errors`."""
    asyncio.run(stoppable(_announce(location, task), location, check))


def upload(
    location: RemoteLocation, folder: Path, manifest: Manifest, fence: Callable[[], None], progress: Progress
) -> None:
    """Publish a sealed folder below the URL. Does nothing where that was done before.

    `fence` raises where this attempt may not publish; it is asked before each object, as what an attempt that was replaced writes
    late would belong to no manifest.
    """
    asyncio.run(stoppable(_upload(location, folder, manifest, fence, progress), location, progress.check_cancelled))


async def _announce(location: RemoteLocation, task: str) -> None:
    async with opened_objects(location) as objects:
        begun = await objects.read(MARK)
        if begun and manifest_in(begun):  # whoever removes what was begun must find it named
            await objects.put(MARK, begun, "application/json")
        else:
            await objects.put(MARK, task.encode(), "text/plain")


async def _upload(
    location: RemoteLocation, folder: Path, manifest: Manifest, fence: Callable[[], None], progress: Progress
) -> None:
    async with opened_objects(location) as objects:
        text = (folder / MANIFEST).read_bytes()
        before = await objects.read(MANIFEST)
        if before != text:
            marked = _marked(manifest, manifest_in(before), manifest_in(await objects.read(MARK)))
            mark = marked.model_dump_json().encode()
            await asyncio.to_thread(fence)
            await objects.put(MARK, mark, "application/json")
            if before is not None:
                await objects.remove(MANIFEST)

            async def check() -> None:
                await asyncio.to_thread(fence)
                await _check_mark(location, objects, mark)

            await _put_files(objects, folder, manifest, check, progress)
            for name in names_in(marked) - {file.name for file in manifest.files}:
                await objects.remove(name)
            await check()
            await objects.put(MANIFEST, text, "application/json")
        with suppress(Exception):  # whoever may write need not be allowed to read or delete
            if is_mark_of(await objects.read(MARK) or b"", manifest.uid):
                await objects.remove(MARK)


def _marked(manifest: Manifest, before: Manifest | None, broken_off: Manifest | None) -> Manifest:
    """Return a manifest that also names what an earlier result and a broken-off upload have left, so that it is not forgotten."""
    found = [each for each in (before, broken_off, manifest) if each is not None]
    files = {file.name: file for each in found for file in each.files}
    return manifest.model_copy(update={"files": tuple(files.values())})


async def _check_mark(location: RemoteLocation, objects: Objects, mark: bytes) -> None:
    """Raise `TransientError` where another job has begun to publish at the same location: what it names is to be its own."""
    found = await objects.read(MARK)
    unreadable = found is None and location.storage_path is None
    if found != mark and not unreadable:
        raise TransientError(
            reasons.STORAGE_FAILED, f"{location}: another job publishes there too; give each its own path"
        )


async def _put_files(
    objects: Objects, folder: Path, manifest: Manifest, check: Callable[[], Awaitable[None]], progress: Progress
) -> None:
    total, done = sum(file.bytes for file in manifest.files), 0
    for file in manifest.files:
        await check()
        await objects.put_file(file.name, folder / file.name, file.media_type)
        done += file.bytes
        progress.tick(done / max(total, 1))
