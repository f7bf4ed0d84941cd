"""A reconstruction on this machine, without a cluster: photos in, a folder of files out."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recon_worker.device import device_of
from recon_worker.files.manifest import Manifest
from recon_worker.inputs.source import PhotoSource
from recon_worker.models.installed import Models
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import ProgressSink
from recon_worker.publishing.folder_swap import check_destination, publish
from recon_worker.publishing.seal import seal
from recon_worker.scene import Scene
from recon_worker.settings import WorkerSettings

UID = "local"
"""Stands in manifests where a job's UID would."""


@dataclass(frozen=True)
class LocalResult:
    """What was made, and where."""

    folder: Path
    manifest: Manifest


def reconstruct_here(
    photos: str,
    out: Path,
    model: str,
    parameters: Mapping[str, Any],
    work: Path,
    sink: ProgressSink,
    settings: WorkerSettings,
) -> LocalResult:
    """Reconstruct the photos and put the result in place of `out`; finished steps lie in `work`.

    Raises the errors of `recon_api.errors`; `out` is then as it was.
    """
    check_destination(out, out)
    device = device_of(settings.device)
    models = Models(settings.model_weights_path, device)
    request = Reconstruction(
        model=models.model(model),
        parameters=parameters,
        load=models.load,
        photos=PhotoSource(Path(photos), label=photos, limits=settings.input_limits),
        report_fields={"photos": photos, "device": device},
    )

    def put_out(files: Path, report: str) -> Manifest:
        sealed = seal(files, report, work, UID, 1, sink.raise_if_stopped)
        if sealed.stat().st_dev != _parent(out).stat().st_dev:
            sealed = Path(shutil.copytree(sealed, _parent(out) / f".{out.name}.new"))
        return publish(sealed, out, fence=lambda: None)

    return LocalResult(out, reconstruct(request, Scene(work / "steps"), sink, put_out))


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent
