"""Publishing an attempt's result so that a reader sees all of it or nothing, whatever dies when.

An attempt assembles its files in a folder of its own, seals it with a manifest of hashes and a rename, and then swaps it
in. A later attempt that finds a sealed folder publishes that, and computes nothing again.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api import reasons
from recon_api.errors import JobCancelled, UsageError
from recon_api.status import Output
from recon_worker.files.atomic_folder import begin, complete, remove, sync_folder, visible_files
from recon_worker.files.cancellable_file import sha256_of

MANIFEST = "manifest.json"
REPORT = "report.json"

MEDIA_TYPES = {
    ".glb": "model/gltf-binary",
    ".obj": "model/obj",
    ".mtl": "model/mtl",
    ".ply": "model/ply",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".json": "application/json",
    ".txt": "text/plain",
}
UNKNOWN_MEDIA_TYPE = "application/octet-stream"


class PublishedFile(BaseModel):
    """One file of a result."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    bytes: int
    sha256: str
    media_type: str


class Manifest(BaseModel):
    """What a sealed or published folder holds; the proof that an attempt was finished."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    uid: str
    attempt: int
    files: tuple[PublishedFile, ...]

    def outputs(self, place: Path | str) -> tuple[Output, ...]:
        """Return the files as the status names them, once they are published in a folder or below a URL."""
        base = place.rstrip("/") if isinstance(place, str) else place.absolute().as_uri()
        return tuple(
            Output(
                name=file.name,
                uri=f"{base}/{quote(file.name)}" if isinstance(place, Path) else f"{base}/{file.name}",
                media_type=file.media_type,
                bytes=file.bytes,
                sha256=file.sha256,
            )
            for file in self.files
        )


def seal(
    files: Path, report: str, work: Path, uid: str, attempt: int, check: Callable[[], None] = lambda: None
) -> Path:
    """Make `work/attempt-<n>/` of the model's files and the report's text, on disk and complete; return it.

    Hidden files and the artefact's own report.json stay behind. `check` is called all the time and may raise; nothing is
    left then. Raises OSError where `work` is gone, or the draft was removed by a later attempt.
    """
    draft, final = work / f"attempt-{attempt}.tmp", work / f"attempt-{attempt}"
    remove(draft)
    begin(draft)
    try:
        for file in visible_files(files):
            check()
            if file != files / REPORT:
                _link_or_copy(file, draft / file.relative_to(files))
        (draft / REPORT).write_text(report)
        manifest = Manifest(uid=uid, attempt=attempt, files=tuple(_described(draft, check)))
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        complete(draft, check)
    except JobCancelled:
        remove(draft)
        raise
    remove(final)
    draft.rename(final)
    sync_folder(work)
    return final


def sealed_earlier(work: Path, uid: str) -> Path | None:
    """Return a sealed folder of any attempt at the job whose files are as its manifest says, None where there is none."""
    found = sorted(work.glob("attempt-*[0-9]")) if work.is_dir() else []
    return next((folder for folder in reversed(found) if _is_whole(folder, uid)), None)


def published(folder: Path, uid: str) -> Manifest | None:
    """Return the manifest of the folder where it holds this job's result already."""
    manifest = read_manifest(folder)
    return manifest if manifest and manifest.uid == uid else None


def publish(sealed: Path, folder: Path, fence: Callable[[], None]) -> Manifest:
    """Put the sealed folder in place of `folder`; return its manifest.

    `fence` is called last and raises where this attempt may not publish any more. A death between the two renames leaves
    the job without a result and its sealed folder in place: the next attempt publishes it.
    """
    manifest = manifest_of(sealed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fence()
    _swap(sealed, folder, _replaced(folder, manifest.uid))
    sync_folder(folder.parent)
    remove_replaced(folder, manifest.uid)
    return manifest


def manifest_of(sealed: Path) -> Manifest:
    """Return the manifest of a sealed folder. Raises FileNotFoundError where a later attempt has published it."""
    return Manifest.model_validate_json((sealed / MANIFEST).read_text())


def _swap(sealed: Path, folder: Path, replaced: Path) -> None:
    sealed.stat()  # gone where a later attempt has published it since the fence, and its result must stay
    if folder.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        folder.rename(replaced)
    try:
        sealed.rename(folder)
    except OSError:
        with contextlib.suppress(OSError):
            replaced.rename(folder)
        shutil.rmtree(replaced, ignore_errors=True)
        raise


def remove_replaced(folder: Path, uid: str) -> None:
    """Remove the earlier result that the job's own has replaced, if a death left it beside the folder."""
    shutil.rmtree(_replaced(folder, uid), ignore_errors=True)


def _replaced(folder: Path, uid: str) -> Path:
    """Return where the job sets an earlier result aside: a place that no other job uses, and that a later attempt finds."""
    digest = hashlib.sha256(f"{uid} {folder.name}".encode()).hexdigest()[:16]
    return folder.with_name(f".replaced-{digest}.old")


def check_destination(folder: Path, namespace_folder: Path) -> None:
    """Raise `UsageError(INVALID_SPEC)` where publishing there would remove or hide files that are no job's result."""
    inside = next((p for p in folder.parents if p.is_relative_to(namespace_folder) and (p / MANIFEST).exists()), None)
    if inside is not None:
        raise UsageError(
            reasons.INVALID_SPEC, f"output folder {folder.name!r} would lie in another job's result {inside.name!r}"
        )
    if folder.exists() and any(folder.iterdir()) and read_manifest(folder) is None:
        raise UsageError(
            reasons.INVALID_SPEC, f"output folder {folder.name!r} holds files that no job has published; name another"
        )


def read_manifest(folder: Path) -> Manifest | None:
    """Return the folder's manifest, None where it has none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def _described(folder: Path, check: Callable[[], None] = lambda: None) -> list[PublishedFile]:
    return [
        PublishedFile(
            name=file.relative_to(folder).as_posix(),
            bytes=file.stat().st_size,
            sha256=_sha256(file, check),
            media_type=MEDIA_TYPES.get(file.suffix.lower(), UNKNOWN_MEDIA_TYPE),
        )
        for file in visible_files(folder)
    ]


def _is_whole(folder: Path, uid: str) -> bool:
    manifest = published(folder, uid)
    try:
        found = tuple(file for file in _described(folder) if file.name != MANIFEST)
    except FileNotFoundError:  # it is being published by an attempt that is believed dead
        return False
    return manifest is not None and manifest.files == found


def _sha256(file: Path, check: Callable[[], None]) -> str:
    with file.open("rb") as content:
        return sha256_of(content, check)


def _link_or_copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, target)
