"""Taking the photos out of an archive that nobody vouches for.

Every entry's name is checked, photo or not. What is written lies flat under names of our own, so no entry's name ever
becomes a path. Bytes are counted as they come out, whatever the archive's headers say.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.content import HEAD_BYTES, named_by_content
from recon_worker.inputs.file_formats import is_read
from recon_worker.inputs.source import PhotoSource

_CHUNK_BYTES = 1 << 20
_RATIO_FROM_BYTES = 64 << 20
"""An archive that unpacks to less is no bomb, however well it compresses."""

_ZIP_ENTRY = b"PK\x03\x04"

_CUT_OFF_TAR = frozenset({"unexpected end of data", "truncated header"})
"""What `tarfile` says of an archive that ends too early."""

_Decompress = Callable[[BinaryIO], IO[bytes]]
_COMPRESSIONS: tuple[tuple[bytes, _Decompress], ...] = (
    (b"\x1f\x8b", lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file))),
    (b"BZh", lambda file: cast("IO[bytes]", bz2.BZ2File(file))),
    (b"\xfd7zXZ\x00", lambda file: cast("IO[bytes]", lzma.LZMAFile(file))),  # noqa: SIM115 - closed with its file
)


@dataclass(frozen=True)
class Entry:
    """One regular file of an archive."""

    name: PurePosixPath
    content: IO[bytes]


class Budget:
    """How many bytes may still come out of an archive, and whether any more are wanted."""

    def __init__(self, source: PhotoSource, archive_bytes: int, check: Callable[[], None]) -> None:
        """Count for an archive of that size; `check` raises where the work must stop."""
        self._source, self._archive_bytes, self._spent = source, max(archive_bytes, 1), 0
        self._check = check

    def spend(self, count: int) -> None:
        """Count these bytes; raise `UsageError(INPUT_REJECTED)` where they are too many."""
        self._check()
        self._spent += count
        limits = self._source.limits
        if self._spent > limits.max_archive_bytes:
            raise UsageError(
                reasons.INPUT_REJECTED, f"{self._source} unpacks to more than {limits.max_archive_bytes:,} bytes"
            )
        if self._spent > max(_RATIO_FROM_BYTES, limits.max_archive_ratio * self._archive_bytes):
            raise UsageError(
                reasons.INPUT_REJECTED,
                f"{self._source} unpacks to more than {limits.max_archive_ratio} times its size, "
                "as no archive of photos does",
            )


class _Counted(io.RawIOBase):
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: IO[bytes], budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(_CHUNK_BYTES if size < 0 else size)
        self._budget.spend(len(data))
        return data


def is_archive(file: BinaryIO) -> bool:
    """Say whether the content is that of an archive that can be read; the file's position is at its start after."""
    try:
        if zipfile.is_zipfile(file):
            return True
        file.seek(0)
        return tarfile.is_tarfile(file)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return False
    finally:
        file.seek(0)


def refuse_damaged(file: BinaryIO, source: PhotoSource) -> None:
    """Raise the `UsageError` of a file that begins as an archive does, and is none that can be read."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if head.startswith(_ZIP_ENTRY):
        raise _cut_off(source)  # a zip archive's list of entries is at its end
    if not is_read(PurePosixPath(source.path.name)) and (what := named_by_content(head)):
        raise UsageError(reasons.INPUT_REJECTED, f"{source} is {what}")


def unpack(file: BinaryIO, source: PhotoSource, folder: Path, check: Callable[[], None]) -> dict[PurePosixPath, Path]:
    """Write the photos of an archive into `folder`; return where each lies, by its name in the archive.

    `check` is called for every entry and every megabyte, of files that are skipped too; it may raise. Files that are no
    photos are skipped, though listed with an empty file, so that a message can speak of them.
    """
    budget = Budget(source, file.seek(0, io.SEEK_END), check)
    file.seek(0)
    found: dict[PurePosixPath, Path] = {}
    with _damage_named(source):
        for entry in _entries(file, source, budget):
            is_photo = is_read(entry.name)
            target = folder / f"{len(found):05d}{entry.name.suffix.lower() if is_photo else ''}"
            found[_free_name(entry.name, found)] = target
            with target.open("xb") as out:
                if is_photo:
                    _copy(entry, out, source)
            check()
    return found


def _free_name(name: PurePosixPath, taken: Container[PurePosixPath]) -> PurePosixPath:
    """Return the name, with a number behind it where the archive has another entry of that name."""
    names = chain([name], (name.with_name(f"{name.stem} ({number}){name.suffix}") for number in count(2)))
    return next(each for each in names if each not in taken)


def _copy(entry: Entry, out: BinaryIO, source: PhotoSource) -> None:
    while chunk := entry.content.read(_CHUNK_BYTES):
        if out.tell() + len(chunk) > source.limits.max_photo_bytes:
            raise UsageError(
                reasons.INPUT_REJECTED,
                f"{source}: {entry.name} has more than {source.limits.max_photo_bytes:,} bytes",
            )
        out.write(chunk)


def _entries(file: BinaryIO, source: PhotoSource, budget: Budget) -> Iterator[Entry]:
    entries = _zip_entries(file, source, budget) if zipfile.is_zipfile(file) else _tar_entries(file, source, budget)
    for number, entry in enumerate(entries, 1):
        if number > source.limits.max_entries:
            raise UsageError(
                reasons.INPUT_REJECTED, f"{source} holds more than {source.limits.max_entries} files; leave photos only"
            )
        yield entry


def _zip_entries(file: BinaryIO, source: PhotoSource, budget: Budget) -> Iterator[Entry]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = _safe_name(info.filename, source)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not name.name or info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                raise _odd_entry(name, source)
            if info.flag_bits & 1:
                raise UsageError(
                    reasons.INPUT_REJECTED, f"{source} is encrypted; archive the photos without a password"
                )
            with archive.open(info) as content:
                yield Entry(name, cast("IO[bytes]", _Counted(content, budget)))


def _tar_entries(file: BinaryIO, source: PhotoSource, budget: Budget) -> Iterator[Entry]:
    file.seek(0)
    head = file.read(6)
    file.seek(0)
    decompress = next((make for magic, make in _COMPRESSIONS if head.startswith(magic)), None)
    stream = cast("IO[bytes]", _Counted(decompress(file) if decompress else file, budget))
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            name = _safe_name(member.name, source)
            if not name.name or member.isdir():
                continue
            # A sparse file's zeros come out of nothing: no photo is stored so.
            if not member.isreg() or member.issparse():
                raise _odd_entry(name, source)
            content = archive.extractfile(member)
            if content is not None:
                yield Entry(name, content)


def _safe_name(name: str, source: PhotoSource) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and path.parts[0].endswith(":")):
        raise UsageError(
            reasons.INPUT_REJECTED,
            f"{source}: its entry {name!r} leads outside of the archive; archive the folder anew",
        )
    return path


def _odd_entry(name: PurePosixPath, source: PhotoSource) -> UsageError:
    return UsageError(
        reasons.INPUT_REJECTED, f"{source}: its entry {name} is a link or a device; only files and folders are taken"
    )


def _cut_off(source: PhotoSource) -> UsageError:
    return UsageError(
        reasons.INPUT_REJECTED,
        f"{source} is cut off: its end is missing; copy the archive again from where it is whole",
    )


@contextmanager
def _damage_named(source: PhotoSource) -> Iterator[None]:
    """Turn what the archive libraries raise on damaged data into the user's move."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        if isinstance(error, EOFError) or str(error) in _CUT_OFF_TAR:
            raise _cut_off(source) from error
        raise UsageError(reasons.INPUT_REJECTED, f"{source} is damaged ({error}); create the archive again") from error
    except NotImplementedError as error:
        raise UsageError(
            reasons.INPUT_REJECTED, f"{source} is compressed in a way that can't be read: {error}"
        ) from error
