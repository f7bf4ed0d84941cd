"""One attempt at a job: find what earlier attempts left, reconstruct the rest, publish."""

import logging
from collections.abc import Callable
from typing import Any

from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.models.installed import Models
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import Progress, ProgressSink
from recon_worker.publishing import seal as publish
from recon_worker.publishing.destinations import Destination, InBucket, InVolume, Publishing
from recon_worker.publishing.published_result import Finished
from recon_worker.remote.places import RemoteAccess
from recon_worker.scene import Scene
from recon_worker.stages.fetch_photos import RemotePhotos
from recon_worker.storage.bucket import BucketStorage, photos_of, result_of
from recon_worker.storage.volume import Storage

logger = logging.getLogger(__name__)


def run_attempt(
    payload: TaskPayload,
    storage: Storage,
    models: Models,
    limits: InputLimits,
    about: dict[str, Any],
    sink: ProgressSink,
    fence: Callable[[], None],
    remote: RemoteAccess,
    bucket: BucketStorage | None = None,
) -> Finished:
    """Bring the job to its end and return what is published. Raises the errors of `recon_api.errors`, and OSError.

    `fence` raises where this attempt may not publish. What an earlier attempt has published or sealed is not made again.
    Where the installation's storage is a `bucket`, `storage` is this worker's own disk, and holds only what is worked on.
    """
    uid, work = payload.job_id, storage.work(payload.job_id)
    destination = _destination(Publishing(payload, fence, sink), storage, remote, bucket)
    storage.remove_drafts(uid, through=payload.attempt - 1)
    if (done := destination.earlier()) is not None:
        return done
    if (sealed := publish.sealed_earlier(work, uid)) is not None:
        logger.info("publishing what %s had finished", sealed.name)
        Progress.of_step(sink, Step.FINALIZING).tick(0.0)
        return destination.put(lambda: sealed)
    model, photos = models.model(payload.model_type), photos_of(payload, remote, bucket)
    source = _source_of(payload, storage, limits) if bucket is None else None
    destination.check()
    return reconstruct(
        Reconstruction(
            model, payload.parameters, models.load, source, RemotePhotos(photos, limits) if photos else None, about
        ),
        Scene(storage.steps(uid), payload.attempt),
        sink,
        lambda files, report: destination.put(
            lambda: publish.seal(files, report, work, uid, payload.attempt, sink.raise_if_stopped),
        ),
    )


def _destination(
    publishing: Publishing, storage: Storage, remote: RemoteAccess, bucket: BucketStorage | None
) -> Destination:
    uploads = result_of(publishing.payload, remote, bucket)
    if bucket is not None and uploads is not None:
        return InBucket(publishing, uploads)
    return InVolume(publishing, storage, uploads)


def _source_of(payload: TaskPayload, storage: Storage, limits: InputLimits) -> PhotoSource | None:
    """Return where the job's photos are in the volume, None where it names none there."""
    if payload.input_path is None:
        return None
    return source_in(storage.inputs(payload.namespace), payload.input_path, limits)
