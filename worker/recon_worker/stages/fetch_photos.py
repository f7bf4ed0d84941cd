"""Fetch photos: bring an input from its URL into the scene, once; whatever runs later reads what lies there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recon_api.steps import Step
from recon_worker.inputs.left_out import report_left_out
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource
from recon_worker.progress import Progress
from recon_worker.remote.locations import RemoteLocation
from recon_worker.scene import Scene, fingerprint_of
from recon_worker.stages.stage import Stage

STAGE = "fetch_photos"


@dataclass(frozen=True)
class RemotePhotos:
    """An input that has to be fetched first."""

    location: RemoteLocation
    limits: InputLimits

    def in_scene(self, scene: Scene) -> PhotoSource:
        """Return what was fetched as a source of photos."""
        folder = scene.folder(STAGE)
        return PhotoSource(
            folder / scene.report(STAGE)["path"], root=folder, label=str(self.location), limits=self.limits
        )


def fetch_photos(_: Scene, folder: Path, photos: RemotePhotos, progress: Progress) -> Mapping[str, Any]:
    """Bring the input into `folder`.

    Figures: files, bytes, the digest of the files' versions (ETags), and why each file that was not brought is left out.
    """
    from recon_worker.remote.fetch import fetch  # its libraries are for jobs with a URL only

    fetched = fetch(photos.location, folder, photos.limits, progress)
    figures = {
        "from": str(photos.location),
        "files": fetched.files,
        "bytes": fetched.bytes,
        "version": fetched.versions[0] if fetched.files == 1 else fingerprint_of(*fetched.versions),
        "path": fetched.path,
    }
    return figures | report_left_out(fetched.left_out, progress)


FETCH_PHOTOS: Stage[RemotePhotos] = Stage(
    STAGE, Step.LOADING, fetch_photos, parameters_read=lambda photos: photos.location.url
)
"""The stage; its parameters are where the photos are. Its fingerprint is a digest, so no signature in the URL is kept."""
