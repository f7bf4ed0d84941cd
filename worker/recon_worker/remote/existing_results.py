"""A result that lies in a bucket already: finding a job's own, and removing it, and nothing of another's.

A bucket has no rename: another job may publish at the same place at any moment. So it is looked whose the place is before
each object goes.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from recon_worker.files.manifest import MANIFEST, REPORT, Manifest
from recon_worker.remote.fetch import stoppable
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.result_objects import MARK, Objects, is_mark_of, manifest_in, names_in, opened_objects


@dataclass(frozen=True)
class Result:
    """What a job has published."""

    manifest: Manifest
    report: bytes
    """Empty where it can't be read."""


def find_result(location: RemoteLocation, uid: str, check: Callable[[], None]) -> Result | None:
    """Return the result of the job of that uid, None where it has published none there.

    Raises the errors of `recon_api.errors`; `check` is called all the time and may raise.
    """
    return asyncio.run(stoppable(_find(location, uid), location, check))


def remove_result(location: RemoteLocation, uid: str) -> None:
    """Remove what the job of that uid has published there, its manifest last, or has begun to upload.

    Does nothing where there is nothing, or where it is another's. Raises the errors of `recon_api.errors`.
    """
    asyncio.run(stoppable(_remove(location, uid), location, lambda: None))


@dataclass(frozen=True)
class _Seen:
    """Whose a place is at a moment."""

    manifest: Manifest | None
    mark: bytes

    def names_of(self, uid: str) -> set[str]:
        """Return the objects that the job has there; none where another has published there, or is about to."""
        begun = manifest_in(self.mark)
        if begun is not None and begun.uid != uid:
            return set()
        result = self.manifest or begun
        return names_in(result) if result is not None and result.uid == uid else set()


async def _look(objects: Objects) -> _Seen:
    return _Seen(manifest_in(await objects.read(MANIFEST)), await objects.read(MARK) or b"")


async def _find(location: RemoteLocation, uid: str) -> Result | None:
    async with opened_objects(location) as objects:
        seen = await _look(objects)
        if seen.manifest is None or seen.manifest.uid != uid:
            return None
        if is_mark_of(seen.mark, uid):  # it died between its last two requests
            with suppress(Exception):
                await objects.remove(MARK)
        return Result(seen.manifest, await objects.read(REPORT) or b"")


async def _remove(location: RemoteLocation, uid: str) -> None:
    async with opened_objects(location) as objects:
        for name in sorted((await _look(objects)).names_of(uid)):
            if name not in (await _look(objects)).names_of(uid):
                return
            await objects.remove(name)
        seen = await _look(objects)
        if is_mark_of(seen.mark, uid):
            await objects.remove(MARK)
        if seen.manifest is not None and seen.manifest.uid == uid:
            await objects.remove(MANIFEST)
