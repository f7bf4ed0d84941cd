"""The manifest of a result: its files with sizes, digests and media types. A folder or bucket that has one is complete."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from recon_api.status import Output
from recon_worker.files.atomic_folder import visible_files
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

    def outputs(self, location: Path | str) -> tuple[Output, ...]:
        """Return the files as the status names them, once they are published in a folder or below a URL."""
        base = location.rstrip("/") if isinstance(location, str) else location.absolute().as_uri()
        return tuple(
            Output(
                name=file.name,
                uri=f"{base}/{quote(file.name)}" if isinstance(location, Path) else f"{base}/{file.name}",
                media_type=file.media_type,
                bytes=file.bytes,
                sha256=file.sha256,
            )
            for file in self.files
        )


def read_manifest(folder: Path) -> Manifest | None:
    """Return the folder's manifest, None where it has none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_text())
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def manifest_of(sealed: Path) -> Manifest:
    """Return the manifest of a sealed folder. Raises FileNotFoundError where a later attempt has published it."""
    return Manifest.model_validate_json((sealed / MANIFEST).read_text())


def manifest_of_job(folder: Path, uid: str) -> Manifest | None:
    """Return the manifest of the folder where it holds this job's result already."""
    manifest = read_manifest(folder)
    return manifest if manifest and manifest.uid == uid else None


def described(folder: Path, check: Callable[[], None] = lambda: None) -> list[PublishedFile]:
    """Return what a manifest says of the folder's files; `check` is called all the time and may raise."""
    return [
        PublishedFile(
            name=file.relative_to(folder).as_posix(),
            bytes=file.stat().st_size,
            sha256=_sha256(file, check),
            media_type=MEDIA_TYPES.get(file.suffix.lower(), UNKNOWN_MEDIA_TYPE),
        )
        for file in visible_files(folder)
    ]


def _sha256(file: Path, check: Callable[[], None]) -> str:
    with file.open("rb") as content:
        return sha256_of(content, check)
