"""One attempt at a job: find what earlier attempts left, reconstruct the rest, publish."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import Progress, ProgressSink
from recon_worker.publishing.destinations import Publishing
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.publishing.seal import seal, sealed_earlier
from recon_worker.remote.locations import RemoteAccess
from recon_worker.scene import Scene
from recon_worker.storage.storage import Storage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttemptResources:
    """What an attempt works with."""

    storage: Storage
    models: Models
    limits: InputLimits
    remote: RemoteAccess
    """What it may do with URLs."""


def run_attempt(
    payload: TaskPayload,
    resources: AttemptResources,
    report_fields: Mapping[str, Any],
    sink: ProgressSink,
    fence: Callable[[], None],
) -> PublishedResult:
    """Bring the job to its end and return what is published. Raises the errors of `recon_api.errors`, and OSError.

    `fence` raises where this attempt may not publish. What an earlier attempt has published or sealed is not made again.
    The report names `report_fields` beside what was done.
    """
    storage, models, uid = resources.storage, resources.models, payload.job_id
    work = storage.work(uid)
    destination = storage.destination(Publishing(payload, fence, sink), resources.remote)
    storage.remove_drafts(uid, through=payload.attempt - 1)
    if (earlier := destination.earlier()) is not None:
        return earlier
    if (sealed := sealed_earlier(work, uid)) is not None:
        logger.info("publishing what %s had finished", sealed.name)
        Progress.of_step(sink, Step.FINALIZING).tick(0.0)
        return destination.put(lambda: sealed)
    model, photos = models.model(payload.model_type), storage.photos(payload, resources.remote, resources.limits)
    destination.check()

    def put_result(files: Path, report: str) -> PublishedResult:
        return destination.put(lambda: seal(files, report, work, uid, payload.attempt, sink.raise_if_stopped))

    return reconstruct(
        Reconstruction(model, payload.parameters, models.load, photos, report_fields),
        Scene(storage.steps(uid), payload.attempt),
        sink,
        put_result,
    )
