"""One attempt at a job on the shared storage: find what earlier attempts left, reconstruct the rest, publish."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.keys import task_id
from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker import publish
from recon_worker.finished import Finished, finished
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.models.installed import Models
from recon_worker.output_removal import remove_outputs
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import Progress, ProgressSink
from recon_worker.remote.places import Place, RemoteAccess
from recon_worker.scene import Scene
from recon_worker.stages.fetch_photos import RemotePhotos
from recon_worker.storage import Storage

UPLOADING_FROM = 0.2
"""Of the last step's time, where the result goes to a URL."""

logger = logging.getLogger(__name__)


def destination_of(payload: TaskPayload, storage: Storage) -> Path:
    """Return the folder that the job's result is published as; raise `UsageError` where that can't be."""
    return storage.output(payload.namespace, payload.output_path or payload.name)


def run_attempt(
    payload: TaskPayload,
    storage: Storage,
    models: Models,
    limits: InputLimits,
    about: dict[str, Any],
    sink: ProgressSink,
    fence: Callable[[], None],
    remote: RemoteAccess,
) -> Finished:
    """Bring the job to its end and return what is published. Raises the errors of `recon_api.errors`, and OSError.

    `fence` raises where this attempt may not publish. What an earlier attempt has published or sealed is not made again.
    """
    work, folder = storage.work(payload.job_id), destination_of(payload, storage)
    storage.remove_drafts(payload.job_id, through=payload.attempt - 1)

    def check_destination() -> None:
        publish.check_destination(folder, storage.outputs(payload.namespace))

    uploads = remote.output(payload.output_url) if payload.output_url is not None else None

    def told(manifest: publish.Manifest, began: float | None = None) -> Finished:
        if uploads is not None:
            upload_result(uploads, payload, storage, manifest, fence, sink)
        passed_s = None if began is None else time.monotonic() - began
        return finished(folder, manifest, passed_s, payload.output_url)

    def put_out(seal: Callable[[], Path]) -> Finished:
        began = time.monotonic()
        sealed = seal()
        check_destination()
        manifest = publish.publish(sealed, folder, fence)
        logger.info("published %d files in %s", len(manifest.files), folder)
        return told(manifest, began)

    if (manifest := publish.published(folder, payload.job_id)) is not None:
        publish.remove_replaced(folder, payload.job_id)
        return told(manifest)
    if (sealed := publish.sealed_earlier(work, payload.job_id)) is not None:
        logger.info("publishing what %s had finished", sealed.name)
        Progress.of_step(sink, Step.FINALIZING).tick(0.0)
        return put_out(lambda: sealed)
    check_destination()
    model, source = models.model(payload.model_type), source_of(payload, storage, limits)
    elsewhere = RemotePhotos(remote.input(payload.input_url), limits) if payload.input_url is not None else None
    if uploads is not None:
        announce_result(uploads, payload, sink)
    return reconstruct(
        Reconstruction(model, payload.parameters, models.load, source, elsewhere, about),
        Scene(storage.steps(payload.job_id), payload.attempt),
        sink,
        lambda files, report: put_out(
            lambda: publish.seal(files, report, work, payload.job_id, payload.attempt, sink.raise_if_stopped),
        ),
    )


def announce_result(place: Place, payload: TaskPayload, sink: ProgressSink) -> None:
    """Find out that the result can be uploaded, before any work is done for it. Raises the errors of `recon_api.errors`."""
    from recon_worker.remote.upload import announce  # its libraries are for jobs with a URL only

    announce(place, task_id(payload.job_id, payload.attempt), sink.raise_if_stopped)


def upload_result(
    place: Place,
    payload: TaskPayload,
    storage: Storage,
    manifest: publish.Manifest,
    fence: Callable[[], None],
    sink: ProgressSink,
) -> None:
    """Upload what is published in the storage. Raises the errors of `recon_api.errors`."""
    from recon_worker.remote.upload import upload

    progress = Progress.of_step(sink, Step.FINALIZING).part(UPLOADING_FROM, 1.0)
    try:
        upload(place, destination_of(payload, storage), manifest, fence, progress)
    except JobCancelled as stopped:
        if stopped.reason == reasons.CANCELLED:  # then nothing of it stays in the storage either
            remove_outputs(storage, payload.namespace, payload.output_path or payload.name, payload.job_id)
        raise


def source_of(payload: TaskPayload, storage: Storage, limits: InputLimits) -> PhotoSource | None:
    """Return where the job's photos are in the storage, None where it names none there."""
    if payload.input_path is None:
        return None
    return source_in(storage.inputs(payload.namespace), payload.input_path, limits)
