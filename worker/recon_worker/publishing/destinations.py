"""Where an attempt publishes: in a folder of the shared volume, from where a copy may go to a bucket, or in a bucket alone."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.keys import task_id
from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker.progress import Progress, ProgressSink
from recon_worker.publishing import seal as publish
from recon_worker.publishing.output_removal import remove_outputs
from recon_worker.publishing.published_result import Finished, finished, finished_as, report_in
from recon_worker.remote.places import Place
from recon_worker.storage.bucket import BucketStorage
from recon_worker.storage.volume import Storage

UPLOADING_FROM = 0.2
"""Of the last step's time, where the result goes to a URL."""

logger = logging.getLogger(__name__)


class Destination(Protocol):
    """Where a result goes. Its methods raise the errors of `recon_api.errors`, and OSError."""

    def earlier(self) -> Finished | None:
        """Return what an earlier attempt at the job has published."""

    def check(self) -> None:
        """Find out, before any work, that the result can be published."""

    def put(self, seal: Callable[[], Path]) -> Finished:
        """Publish the folder that `seal` returns."""


def destination_of(payload: TaskPayload, storage: Storage) -> Path:
    """Return the folder that the job's result is published as; raise `UsageError` where that can't be."""
    return storage.output(payload.namespace, payload.published_as)


@dataclass(frozen=True)
class Publishing:
    """The attempt that publishes."""

    payload: TaskPayload
    fence: Callable[[], None]
    """Raises where it may not."""
    sink: ProgressSink

    def announce(self, place: Place) -> None:
        """Find out that the result can be uploaded."""
        from recon_worker.remote.upload import announce  # its libraries are for those who upload only

        announce(place, task_id(self.payload.job_id, self.payload.attempt), self.sink.raise_if_stopped)

    def upload(self, place: Place, folder: Path, manifest: publish.Manifest) -> None:
        """Upload a sealed or published folder."""
        from recon_worker.remote.upload import upload

        upload(
            place, folder, manifest, self.fence, Progress.of_step(self.sink, Step.FINALIZING).part(UPLOADING_FROM, 1.0)
        )


class InVolume:
    """A folder of the shared volume; with `uploads`, also below a URL that the job names."""

    def __init__(self, publishing: Publishing, storage: Storage, uploads: Place | None) -> None:
        """Raise `UsageError` where the job's path leads out of the namespace's folder."""
        self._publishing, self._storage, self._uploads = publishing, storage, uploads
        self._payload = publishing.payload
        self._folder = destination_of(self._payload, storage)

    def earlier(self) -> Finished | None:
        """Return what the folder holds, uploaded by now."""
        if (manifest := publish.published(self._folder, self._payload.job_id)) is None:
            return None
        publish.remove_replaced(self._folder, self._payload.job_id)
        return self._told(manifest)

    def check(self) -> None:
        """Refuse to remove or hide files that are no job's result; write the mark where the result will be uploaded."""
        self._check_folder()
        if self._uploads is not None:
            self._publishing.announce(self._uploads)

    def put(self, seal: Callable[[], Path]) -> Finished:
        """Put the sealed folder in its place, then upload it."""
        began = time.monotonic()
        sealed = seal()
        self._check_folder()
        manifest = publish.publish(sealed, self._folder, self._publishing.fence)
        logger.info("published %d files in %s", len(manifest.files), self._folder)
        return self._told(manifest, began)

    def _check_folder(self) -> None:
        publish.check_destination(self._folder, self._storage.outputs(self._payload.namespace))

    def _told(self, manifest: publish.Manifest, began: float | None = None) -> Finished:
        if self._uploads is not None:
            self._upload(self._uploads, manifest)
        passed_s = None if began is None else time.monotonic() - began
        return finished(self._folder, manifest, passed_s, self._payload.output_url)

    def _upload(self, place: Place, manifest: publish.Manifest) -> None:
        payload = self._payload
        try:
            self._publishing.upload(place, self._folder, manifest)
        except JobCancelled as stopped:
            if stopped.reason == reasons.CANCELLED:  # then nothing of it stays in the storage either
                remove_outputs(self._storage, payload.namespace, payload.published_as, payload.job_id)
            raise


class InBucket:
    """A URL alone: the installation's bucket, or what the job names where the installation has no volume."""

    def __init__(self, publishing: Publishing, place: Place) -> None:
        """Publish below the place's URL."""
        self._publishing, self._place = publishing, place
        self._uid = publishing.payload.job_id

    def earlier(self) -> Finished | None:
        """Return what lies in the installation's bucket; a job's own bucket is not taken at its word."""
        from recon_worker.remote.results import find_result

        if self._place.storage_path is None:
            return None
        found = find_result(self._place, self._uid, self._publishing.sink.raise_if_stopped)
        return None if found is None else finished_as(report_in(found.report), found.manifest, self._place.url)

    def check(self) -> None:
        """Write the mark where the result will be."""
        self._publishing.announce(self._place)

    def put(self, seal: Callable[[], Path]) -> Finished:
        """Upload the sealed folder."""
        began = time.monotonic()
        sealed = seal()
        manifest = publish.manifest_of(sealed)
        self._publishing.upload(self._place, sealed, manifest)
        logger.info("uploaded %d files to %s", len(manifest.files), self._place)
        return finished(sealed, manifest, time.monotonic() - began, self._place.url)


def withdraw(bucket: BucketStorage, namespace: str, path: str, uid: str) -> None:
    """Remove what a cancelled job has uploaded to the installation's bucket, or has begun to. Raises nothing.

    What can't be removed now is no failure of the job.
    """
    try:
        remove_outputs(bucket, namespace, path, uid)
    except Exception:
        logger.warning("what job %s had begun to upload could not be removed", uid, exc_info=True)
