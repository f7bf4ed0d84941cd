"""Bringing an input from a URL into a folder: within limits, again where the connection broke, and stopped at once when asked to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from recon_api import reasons
from recon_api.errors import TransientError, UsageError
from recon_worker.inputs.file_formats import ARCHIVE_SUFFIXES, Kind, is_read, kind_of
from recon_worker.inputs.left_out import LeftOut, left_out_by_name
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.photo_selection import choose_images, refuse_no_archive
from recon_worker.progress import Progress
from recon_worker.remote.addresses import AddressGuard
from recon_worker.remote.bucket_access import listed_files, opened_bucket
from recon_worker.remote.https import HttpsFile
from recon_worker.remote.locations import RemoteLocation
from recon_worker.remote.remote_file import RemoteFile, classify_error

TRIES = 5
"""How often in a row a file is tried that does not come further."""

FIRST_WAIT_S = 0.5
LOOK_S = 0.1
"""How often is looked whether the work is still wanted."""

T = TypeVar("T")


@dataclass(frozen=True)
class Fetched:
    """What was brought."""

    files: int
    bytes: int
    versions: tuple[str, ...]
    """The ETag, or the like, of each file."""
    path: str
    """Of the archive or the folder, relative to the folder that it was brought into."""
    left_out: LeftOut = field(default_factory=dict)
    """The photos, videos and archives below a prefix that were not brought."""


def fetch(location: RemoteLocation, folder: Path, limits: InputLimits, progress: Progress) -> Fetched:
    """Bring what a URL names into a folder: an archive, or the photos below a prefix.

    Raises the errors of `recon_api.errors`, and OSError where the disk refuses.
    """
    return asyncio.run(stoppable(_fetch(location, folder, limits, progress), location, progress.check_cancelled))


async def stoppable(work: Coroutine[Any, Any, T], location: RemoteLocation, check: Callable[[], None]) -> T:
    """Await the work, for as long as the policy allows, and look all the time whether it is still wanted."""
    task = asyncio.ensure_future(work)
    try:
        async with asyncio.timeout(location.policy.timeout_s):
            while not task.done():
                check()
                await asyncio.wait({task}, timeout=LOOK_S)
            return task.result()
    except TimeoutError as error:
        limit = f"{location} took longer than {location.policy.timeout_s:.0f} s (URL_TIMEOUT_S)"
        raise TransientError(reasons.REMOTE_UNAVAILABLE, limit) from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _fetch(location: RemoteLocation, folder: Path, limits: InputLimits, progress: Progress) -> Fetched:
    guard = AddressGuard({host.lower() for host in location.policy.allowed_hosts})
    async with _found(location, guard, limits) as (files, path, left_out):
        transfer = _Transfer(location, guard, progress, sum(file.size for file in files))
        transfer.refuse_too_large(transfer.expected)
        for file in files:
            target = folder / path / file.name if len(path.parts) == 1 and path.name == PREFIX else folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            await transfer.bring(file, target)
        return Fetched(len(files), transfer.done, tuple(transfer.versions), str(path), left_out)


PREFIX = "photos"
"""Folder of what lay below a prefix."""


@asynccontextmanager
async def _found(
    location: RemoteLocation, guard: AddressGuard, limits: InputLimits
) -> AsyncIterator[tuple[Sequence[RemoteFile], PurePosixPath, LeftOut]]:
    """Yield the files to bring, where they go, and what is left out."""
    if location.scheme == "https":
        yield [HttpsFile(location, guard)], _archive_name(location, limits), {}
        return
    async with opened_bucket(location, guard) as bucket:
        try:
            files, is_prefix = await listed_files(location, bucket, limits.max_entries)
        except Exception as error:
            raise classify_error(location, error, guard) from error
        if is_prefix:
            by_name = {file.name: file for file in files}
            chosen = choose_images(map(_safe(location), by_name), location, limits)
            _refuse_photos_in_photos(location, chosen)
            yield [by_name[name] for name in chosen], PurePosixPath(PREFIX), left_out_by_name(by_name)
        else:
            yield files, _archive_name(location, limits), {}


def _archive_name(location: RemoteLocation, limits: InputLimits) -> PurePosixPath:
    """Return what an archive is called here; refuse by its name what is another thing, before it is brought."""
    if is_read(location.name) or kind_of(location.name) is Kind.VIDEO:
        refuse_no_archive(location.name, location, limits)
    suffix = location.name.suffix.lower()
    return PurePosixPath(f"archive{suffix if suffix in ARCHIVE_SUFFIXES else ''}")


def _safe(location: RemoteLocation) -> Callable[[PurePosixPath], PurePosixPath]:
    """Return what passes on a name that can be a file's here, and refuses others."""

    def check(name: PurePosixPath) -> PurePosixPath:
        if (
            name.is_absolute()
            or ".." in name.parts
            or "\0" in str(name)
            or any(len(p.encode()) > 255 for p in name.parts)
        ):
            raise UsageError(
                reasons.INPUT_REJECTED, f"{location}: {str(name)!r} can be no file's name; rename the object"
            )
        return name

    return check


def _refuse_photos_in_photos(location: RemoteLocation, names: Sequence[PurePosixPath]) -> None:
    every = set(names)
    for name in names:
        if inside := next((parent for parent in name.parents if parent in every), None):
            raise UsageError(reasons.INPUT_REJECTED, f"{location}: {inside} is both a photo and a folder; rename one")


class _Transfer:
    """Files that come one after the other, and how many bytes that were."""

    def __init__(self, location: RemoteLocation, guard: AddressGuard, progress: Progress, expected: int) -> None:
        self._location, self._guard, self._progress = location, guard, progress
        self.expected = expected
        self.done = 0
        self.versions: list[str] = []

    async def bring(self, file: RemoteFile, target: Path) -> None:
        """Bring one file; again from where the connection broke."""
        tries, version = 0, [""]
        while True:
            before = _size(target)
            try:
                await self._once(file, target, version)
            except Exception as error:
                move = classify_error(self._location, error, self._guard)
                tries = 0 if _size(target) > before else tries + 1
                if not isinstance(move, TransientError) or tries >= TRIES or move.reason is reasons.STORAGE_FAILED:
                    raise move from error
                # A longer wait that the server asks for is the next attempt's.
                if move.retry_after_s > FIRST_WAIT_S * 2**TRIES:
                    raise move from error
                await asyncio.sleep(max(FIRST_WAIT_S * 2**tries, move.retry_after_s))
            else:
                self.done += _size(target)
                self.versions.extend(version)
                return

    async def _once(self, file: RemoteFile, target: Path, version: list[str]) -> None:
        """Bring what is missing; `version` is that of what is there already, and becomes that of what comes."""
        async with file.open(_size(target), version[0]) as opened:
            version[0] = opened.version
            if not self.expected:
                self.expected = opened.size or 0
            self.refuse_too_large(self.done + (opened.size or 0))
            with _on_disk(), target.open("ab") as out:
                out.truncate(opened.start)
                out.seek(opened.start)
                async for chunk in _of_the_network(opened.chunks):
                    out.write(chunk)
                    self.refuse_too_large(self.done + out.tell())
                    self._progress.tick((self.done + out.tell()) / self.expected if self.expected else 0.0)
                have = out.tell()
            if opened.size is not None and have != opened.size:
                raise ConnectionError(f"the connection broke off after {have:,} of {opened.size:,} bytes")

    def refuse_too_large(self, size: int) -> None:
        """Raise `UsageError(INPUT_REJECTED)` where that is more than a job may bring."""
        most = self._location.policy.max_bytes
        if size > most:
            raise UsageError(
                reasons.INPUT_REJECTED,
                f"{self._location} has more than {most:,} bytes (URL_MAX_BYTES); bring smaller photos",
            )


class _NetworkError(Exception):
    """Carries what the network raised past those who look for errors of the disk."""


async def _of_the_network(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        raise _NetworkError from error


@contextmanager
def _on_disk() -> Iterator[None]:
    """Tell an error of the storage from one of the network: both may be the same OSError."""
    try:
        yield
    except _NetworkError as carried:
        if isinstance(carried.__cause__, Exception):
            raise carried.__cause__ from None
        raise
    except OSError as error:
        raise TransientError(reasons.STORAGE_FAILED, f"the input could not be kept: {error.strerror}") from error


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
