"""Where an installation keeps the files of its jobs: the interface of a shared volume and of a bucket.

A worker makes one of the two from its settings (`recon_worker.storage.configured`); nothing else asks which one it is.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource
from recon_worker.publishing.destinations import Destination, Publishing
from recon_worker.publishing.output_removal import remove_published
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.remote.locations import RemoteAccess, RemoteLocation
from recon_worker.stages.fetch_photos import RemotePhotos
from recon_worker.storage.work_folders import WorkFolders

EndedJobs = Callable[[Sequence[str]], Collection[str]]
"""Which of these jobs have ended; none where that is unknown."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenLog:
    """The log of an attempt, while it is written."""

    stream: BinaryIO
    """Unbuffered."""
    address: str
    """What people call it: a `file:` or a bucket's URL."""
    readable_now: bool
    """Whether it is there while it is written, and not only once that is done."""


class Storage(WorkFolders, ABC):
    """A storage. What it says of paths it says with `UsageError`, where they lead out of the namespace's own part."""

    def photos(
        self, payload: TaskPayload, access: RemoteAccess, limits: InputLimits
    ) -> PhotoSource | RemotePhotos | None:
        """Return where the job's photos are, None where it names none."""
        if payload.input_url is not None:
            return RemotePhotos(access.input(payload.input_url), limits)
        return None if payload.input_path is None else self.input(payload.namespace, payload.input_path, limits)

    @abstractmethod
    def input(self, namespace: str, path: str, limits: InputLimits) -> PhotoSource | RemotePhotos:
        """Return what `spec.input.path` names."""

    @abstractmethod
    def output(self, namespace: str, path: str) -> Path | RemoteLocation:
        """Return what `spec.output.path` names."""

    @abstractmethod
    def destination(self, publishing: Publishing, access: RemoteAccess) -> Destination:
        """Return where the attempt's result goes."""

    @abstractmethod
    def result_address(self, payload: TaskPayload) -> str:
        """Return what people call the place of the job's result: a folder, or a URL without what may be secret in it."""

    @abstractmethod
    def find_local_result(self, namespace: str, output_path: str, uid: str) -> PublishedResult | None:
        """Return what the job has published, as far as that shows without a request to another server."""

    def remove_outputs(self, namespace: str, output_path: str, uid: str) -> None:
        """Remove what `spec.output.path` names, if the job of that uid has published it.

        Its manifest goes last: what a crash has left is still known for this job's. Raises OSError, and of a bucket the errors
        of `recon_api.errors`.
        """
        try:
            output = self.output(namespace, output_path)
        except UsageError as error:
            logger.info("job %s can have published nothing: %s", uid, error)
            return
        remove_published(output, uid)

    @abstractmethod
    def withdraw_upload(self, namespace: str, output_path: str, uid: str) -> None:
        """Remove what a cancelled job has uploaded here, or has begun to. Raises nothing: what stays is no failure of the job."""

    @abstractmethod
    def log(self, namespace: str, uid: str, attempt: int) -> AbstractContextManager[OpenLog]:
        """Open the log of an attempt; it is complete after the block. Raises OSError and the errors of `recon_api.errors`."""

    @abstractmethod
    def remove_logs(self, namespace: str, uid: str) -> None:
        """Remove all logs of a job; raises the same."""

    @abstractmethod
    def remove_leftovers(self, uid: str, ended: EndedJobs) -> None:
        """Remove the work folders of other jobs that have ended, where no other worker can."""
