"""One attempt at a job on the shared storage: find what earlier attempts left, reconstruct the rest, publish."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_api.status import Output
from recon_worker import publish
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.models.installed import Models
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import ProgressSink
from recon_worker.scene import Scene
from recon_worker.storage import Storage

logger = logging.getLogger(__name__)


def destination_of(payload: TaskPayload, storage: Storage) -> Path:
    """Return the folder that the job's result is published as; raise `UsageError` where that can't be."""
    if payload.output_url is not None:
        raise UsageError(
            reasons.NOT_SUPPORTED, "output.url can't be written yet; leave it out, or set output.path in the storage"
        )
    return storage.output(payload.namespace, payload.output_path or payload.name)


def run_attempt(
    payload: TaskPayload,
    storage: Storage,
    models: Models,
    limits: InputLimits,
    about: dict[str, Any],
    sink: ProgressSink,
    fence: Callable[[], None],
) -> tuple[Output, ...]:
    """Bring the job to its end and return what is published. Raises the errors of `recon_api.errors`, and OSError.

    `fence` raises where this attempt may not publish. What an earlier attempt has published or sealed is not made again.
    """
    work, folder = storage.work(payload.job_id), destination_of(payload, storage)
    storage.remove_drafts(payload.job_id)

    def put_out(sealed: Path) -> publish.Manifest:
        publish.check_destination(folder, storage.outputs(payload.namespace))
        return publish.publish(sealed, folder, fence)

    manifest = publish.published(folder, payload.job_id)
    if manifest is None and (sealed := publish.sealed_earlier(work, payload.job_id)) is not None:
        logger.info("publishing what %s had finished", sealed.name)
        manifest = put_out(sealed)
    if manifest is None:
        publish.check_destination(folder, storage.outputs(payload.namespace))
        model, source = models.model(payload.model_type), source_of(payload, storage, limits)
        asked = Reconstruction(model, payload.parameters, models.load, source, about)
        manifest = reconstruct(
            asked,
            Scene(storage.steps(payload.job_id)),
            sink,
            lambda files, report: put_out(publish.seal(files, report, work, payload.job_id, payload.attempt)),
        )
    return manifest.outputs(folder)


def source_of(payload: TaskPayload, storage: Storage, limits: InputLimits) -> PhotoSource | None:
    """Return where the job's photos are, None where it names none."""
    if payload.input_url is not None:
        raise UsageError(
            reasons.NOT_SUPPORTED, "input.url can't be read yet; put the photos into the storage and use input.path"
        )
    if payload.input_path is None:
        return None
    return source_in(storage.inputs(payload.namespace), payload.input_path, limits)
