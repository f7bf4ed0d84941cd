"""The installation's storage, where it is a bucket: what a job's paths name in it, and with whose credentials.

    <url>/inputs/<namespace>/...           read
    <url>/outputs/<namespace>/<name>/      published
    <url>/outputs/<namespace>/.logs/<uid>/ logs of attempts that have ended

Credentials of the installation are used for these places alone, and those of a job's Secret never for them. Each worker has a disk
of its own for work/, and nothing else.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from recon_api import reasons
from recon_api.credentials import Credentials
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_worker.files.attempt_logs import LOGS, log_name
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import checked_path
from recon_worker.publishing.destinations import BucketDestination, Publishing
from recon_worker.remote.locations import NO_CREDENTIALS, RemoteAccess, RemoteLocation, RemotePolicy, shown_url
from recon_worker.stages.fetch_photos import RemotePhotos
from recon_worker.storage.names import checked_namespace, checked_output, checked_uid
from recon_worker.storage.storage import EndedJobs, OpenLog, Storage

VERSION = "?versionId="
"""What follows it in a key, s3fs takes for the version of an object."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BucketStorage(Storage):
    """A bucket, or a prefix in one, that holds what a shared volume would hold; `root` is this worker's own disk."""

    url: str
    """Such as `s3://bucket/prefix`, without a slash at its end."""
    credentials: Credentials = field(default=NO_CREDENTIALS, repr=False)
    policy: RemotePolicy = field(default_factory=RemotePolicy)
    """Its `s3_endpoint_url` is the storage's own: it may be private, as it is the administrator's."""

    def input(self, namespace: str, path: str, limits: InputLimits) -> RemotePhotos:
        """Return what `spec.input.path` names; raise `UsageError` where it leads out of the namespace's own prefix."""
        relative = "/".join(checked_path(path).parts)
        location = self._location("input.path", f"inputs/{checked_namespace(namespace)}/{relative}", path)
        return RemotePhotos(location, limits)

    def output(self, namespace: str, path: str) -> RemoteLocation:
        """Return what `spec.output.path` names; raise `UsageError` where it leads out of the namespace's own prefix."""
        return self._location("output.path", f"outputs/{checked_namespace(namespace)}/{checked_output(path)}", path)

    def destination(self, publishing: Publishing, access: RemoteAccess) -> BucketDestination:
        """Return what the job's path names here, or the URL that the job names itself."""
        return BucketDestination(publishing, self._result(publishing.payload, access))

    def result_address(self, payload: TaskPayload) -> str:
        """Return the URL."""
        return shown_url(self._result(payload, RemoteAccess()).url)

    def find_local_result(self, namespace: str, output_path: str, uid: str) -> None:
        """Return None: only the bucket knows."""

    def withdraw_upload(self, namespace: str, output_path: str, uid: str) -> None:
        """Remove what a cancelled job has uploaded, or has begun to."""
        try:
            self.remove_outputs(namespace, output_path, uid)
        except Exception:
            logger.warning("what job %s had begun to upload could not be removed", uid, exc_info=True)

    @contextmanager
    def log(self, namespace: str, uid: str, attempt: int) -> Iterator[OpenLog]:
        """Write it on this worker's disk, and upload it at the end: objects cannot be appended to."""
        from recon_worker.remote.result_objects import put_log  # its libraries are for those who upload only

        location = self._logs(namespace, uid)
        with tempfile.TemporaryFile(buffering=0) as stream:
            yield OpenLog(stream, f"{location.url}/{log_name(attempt)}", readable_now=False)
            stream.seek(0)
            put_log(location, log_name(attempt), stream.readall())

    def remove_logs(self, namespace: str, uid: str) -> None:
        """Remove the objects."""
        from recon_worker.remote.result_objects import remove_logs

        remove_logs(self._logs(namespace, uid))

    def _logs(self, namespace: str, uid: str) -> RemoteLocation:
        key = f"outputs/{checked_namespace(namespace)}/{LOGS}/{checked_uid(uid)}"
        return self._location("the attempts' logs", key, LOGS)

    def remove_leftovers(self, uid: str, ended: EndedJobs) -> None:
        """Remove the work folders of all other jobs that have ended: on any worker, which can't reach this disk."""
        others = [other for other in self.jobs() if other != uid]
        removable = ended(others) if others else ()
        if removable:  # unnamed, as the owner of the attempt that logs it may read it
            logger.info("removing the steps of %d jobs that have ended on other workers", len(removable))
        for other in removable:
            with suppress(OSError):
                self.discard(other)

    def _result(self, payload: TaskPayload, access: RemoteAccess) -> RemoteLocation:
        if payload.output_url is not None:
            return access.output(payload.output_url)
        return self.output(payload.namespace, payload.published_as)

    def _location(self, field_name: str, key: str, path: str) -> RemoteLocation:
        if VERSION in path:
            raise UsageError(
                reasons.INVALID_SPEC,
                f"{field_name} {path!r} must not hold {VERSION!r}: in a bucket that names a version",
            )
        return RemoteLocation(field_name, f"{self.url}/{key}", self.credentials, self.policy, storage_path=path)
