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
from recon_worker.files.manifest import Manifest, manifest_of, manifest_of_job
from recon_worker.progress import Progress, ProgressSink
from recon_worker.publishing.folder_swap import check_destination, publish, remove_replaced
from recon_worker.publishing.published_result import (
    PublishedResult,
    published_result,
    read_published_result,
    report_in,
)
from recon_worker.publishing.trial import try_publishing
from recon_worker.remote.locations import RemoteLocation

UPLOADING_FROM = 0.2
"""Of the last step's time, where the result goes to a URL."""

logger = logging.getLogger(__name__)


class Destination(Protocol):
    """Where a result goes. Its methods raise the errors of `recon_api.errors`, and OSError."""

    def earlier(self) -> PublishedResult | None:
        """Return what an earlier attempt at the job has published."""

    def check(self) -> None:
        """Find out, before any work, that the result can be published."""

    def put(self, seal: Callable[[], Path]) -> PublishedResult:
        """Publish the folder that `seal` returns."""


@dataclass(frozen=True)
class Publishing:
    """The attempt that publishes."""

    payload: TaskPayload
    fence: Callable[[], None]
    """Raises where it may not."""
    sink: ProgressSink

    def announce(self, location: RemoteLocation) -> None:
        """Find out that the result can be uploaded."""
        from recon_worker.remote.upload import announce  # its libraries are for those who upload only

        announce(location, task_id(self.payload.job_id, self.payload.attempt), self.sink.raise_if_stopped)

    def upload(self, location: RemoteLocation, folder: Path, manifest: Manifest) -> None:
        """Upload a sealed or published folder."""
        from recon_worker.remote.upload import upload

        progress = Progress.of_step(self.sink, Step.FINALIZING).part(UPLOADING_FROM, 1.0)
        upload(location, folder, manifest, self.fence, progress)


@dataclass(frozen=True)
class VolumeDestination:
    """A folder of the shared volume; with `uploads`, also below a URL that the job names."""

    publishing: Publishing
    folder: Path
    namespace_folder: Path
    work: Path
    """The job's own folder, where its results are sealed."""
    uploads: RemoteLocation | None
    remove: Callable[[], None]
    """Removes what the job has published in the folder."""

    def earlier(self) -> PublishedResult | None:
        """Return what the folder holds, uploaded by now."""
        uid = self.publishing.payload.job_id
        if (manifest := manifest_of_job(self.folder, uid)) is None:
            return None
        remove_replaced(self.folder, uid)
        return self._uploaded(manifest)

    def check(self) -> None:
        """Refuse to remove or hide files that are no job's result; publish a small folder, and write the mark of an upload."""
        check_destination(self.folder, self.namespace_folder)
        payload = self.publishing.payload
        try_publishing(self.folder, self.work, payload.job_id, payload.attempt)
        if self.uploads is not None:
            self.publishing.announce(self.uploads)

    def put(self, seal: Callable[[], Path]) -> PublishedResult:
        """Put the sealed folder in its place, then upload it."""
        began = time.monotonic()
        sealed = seal()
        check_destination(self.folder, self.namespace_folder)
        manifest = publish(sealed, self.folder, self.publishing.fence)
        logger.info("published %d files in %s", len(manifest.files), self.folder)
        return self._uploaded(manifest, began)

    def _uploaded(self, manifest: Manifest, began: float | None = None) -> PublishedResult:
        if self.uploads is not None:
            self._upload(self.uploads, manifest)
        passed_s = None if began is None else time.monotonic() - began
        return read_published_result(self.folder, manifest, passed_s, self.publishing.payload.output_url)

    def _upload(self, location: RemoteLocation, manifest: Manifest) -> None:
        try:
            self.publishing.upload(location, self.folder, manifest)
        except JobCancelled as stopped:
            if stopped.reason == reasons.CANCELLED:  # then nothing of it stays in the storage either
                self.remove()
            raise


class BucketDestination:
    """A URL alone: the installation's bucket, or what the job names where the installation has no volume."""

    def __init__(self, publishing: Publishing, location: RemoteLocation) -> None:
        """Publish below the location's URL."""
        self._publishing, self._location = publishing, location
        self._uid = publishing.payload.job_id

    def earlier(self) -> PublishedResult | None:
        """Return what lies in the installation's bucket; a job's own bucket is not taken at its word."""
        from recon_worker.remote.existing_results import find_result

        if self._location.storage_path is None:
            return None
        found = find_result(self._location, self._uid, self._publishing.sink.raise_if_stopped)
        return None if found is None else published_result(report_in(found.report), found.manifest, self._location.url)

    def check(self) -> None:
        """Write the mark where the result will be."""
        self._publishing.announce(self._location)

    def put(self, seal: Callable[[], Path]) -> PublishedResult:
        """Upload the sealed folder."""
        began = time.monotonic()
        sealed = seal()
        manifest = manifest_of(sealed)
        self._publishing.upload(self._location, sealed, manifest)
        logger.info("uploaded %d files to %s", len(manifest.files), self._location)
        return read_published_result(sealed, manifest, time.monotonic() - began, self._location.url)


def find_in_folder(folder: Path, uid: str) -> PublishedResult | None:
    """Return what the job has published in a folder, and remove the result that it replaced."""
    if (manifest := manifest_of_job(folder, uid)) is None:
        return None
    remove_replaced(folder, uid)
    return read_published_result(folder, manifest)
