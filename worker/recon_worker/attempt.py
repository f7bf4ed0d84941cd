"""One attempt at a job on the shared storage: find what earlier attempts left, reconstruct the rest, publish."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker import publish
from recon_worker.finished import Finished, finished
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.models.installed import Models
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import Progress, ProgressSink
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
) -> Finished:
    """Bring the job to its end and return what is published. Raises the errors of `recon_api.errors`, and OSError.

    `fence` raises where this attempt may not publish. What an earlier attempt has published or sealed is not made again.
    """
    work, folder = storage.work(payload.job_id), destination_of(payload, storage)
    storage.remove_drafts(payload.job_id, through=payload.attempt - 1)

    def check_destination() -> None:
        publish.check_destination(folder, storage.outputs(payload.namespace))

    def put_out(seal: Callable[[], Path]) -> Finished:
        began = time.monotonic()
        sealed = seal()
        check_destination()
        manifest = publish.publish(sealed, folder, fence)
        logger.info("published %d files in %s", len(manifest.files), folder)
        return finished(folder, manifest, finalizing_s=time.monotonic() - began)

    if (manifest := publish.published(folder, payload.job_id)) is not None:
        publish.remove_replaced(folder, payload.job_id)
        return finished(folder, manifest)
    if (sealed := publish.sealed_earlier(work, payload.job_id)) is not None:
        logger.info("publishing what %s had finished", sealed.name)
        Progress.of_step(sink, Step.FINALIZING).tick(0.0)
        return put_out(lambda: sealed)
    check_destination()
    model, source = models.model(payload.model_type), source_of(payload, storage, limits)
    return reconstruct(
        Reconstruction(model, payload.parameters, models.load, source, about),
        Scene(storage.steps(payload.job_id), payload.attempt),
        sink,
        lambda files, report: put_out(
            lambda: publish.seal(files, report, work, payload.job_id, payload.attempt, sink.raise_if_stopped),
        ),
    )


def source_of(payload: TaskPayload, storage: Storage, limits: InputLimits) -> PhotoSource | None:
    """Return where the job's photos are, None where it names none."""
    if payload.input_url is not None:
        raise UsageError(
            reasons.NOT_SUPPORTED, "input.url can't be read yet; put the photos into the storage and use input.path"
        )
    if payload.input_path is None:
        return None
    return source_in(storage.inputs(payload.namespace), payload.input_path, limits)
