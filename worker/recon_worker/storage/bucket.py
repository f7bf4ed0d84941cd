"""The installation's storage, where it is a bucket: what a job's paths name in it, and with whose credentials.

    <url>/inputs/<namespace>/...           read
    <url>/outputs/<namespace>/<name>/      published

Credentials of the installation are used for these places alone, and those of a job's Secret never for them.
"""

from dataclasses import dataclass, field

from recon_api import reasons
from recon_api.credentials import Credentials
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_worker.inputs.source import checked_path
from recon_worker.remote.places import NO_CREDENTIALS, Place, RemoteAccess, RemotePolicy
from recon_worker.storage.volume import checked_namespace, checked_output

URL = r"s3://[A-Za-z0-9][-A-Za-z0-9._]*(/[^\s?#]*)?"
"""Pattern of a bucket's URL, or of a prefix in one."""

VERSION = "?versionId="
"""What follows it in a key, s3fs takes for the version of an object."""


@dataclass(frozen=True)
class BucketStorage:
    """A bucket, or a prefix in one, that holds what a shared volume would hold."""

    url: str
    """Such as `s3://bucket/prefix`, without a slash at its end."""
    credentials: Credentials = field(default=NO_CREDENTIALS, repr=False)
    policy: RemotePolicy = field(default_factory=RemotePolicy)
    """Its `s3_endpoint_url` is the storage's own: it may be private, as it is the administrator's."""

    def input(self, namespace: str, path: str) -> Place:
        """Return what `spec.input.path` names; raise `UsageError` where it leads out of the namespace's own prefix."""
        relative = "/".join(checked_path(path).parts)
        return self._place("input.path", f"inputs/{checked_namespace(namespace)}/{relative}", path)

    def output(self, namespace: str, path: str) -> Place:
        """Return what `spec.output.path` names; raise `UsageError` where it leads out of the namespace's own prefix."""
        return self._place("output.path", f"outputs/{checked_namespace(namespace)}/{checked_output(path)}", path)

    def _place(self, field_name: str, key: str, path: str) -> Place:
        if VERSION in path:
            raise UsageError(
                reasons.INVALID_SPEC,
                f"{field_name} {path!r} must not hold {VERSION!r}: in a bucket that names a version",
            )
        return Place(field_name, f"{self.url}/{key}", self.credentials, self.policy, storage_path=path)


def photos_of(payload: TaskPayload, remote: RemoteAccess, bucket: BucketStorage | None) -> Place | None:
    """Return where a job's photos are to be brought from, None where they are on a volume, or it names none."""
    if payload.input_url is not None:
        return remote.input(payload.input_url)
    if payload.input_path is not None and bucket is not None:
        return bucket.input(payload.namespace, payload.input_path)
    return None


def result_of(payload: TaskPayload, remote: RemoteAccess, bucket: BucketStorage | None) -> Place | None:
    """Return where a job's result is to be uploaded, None where it goes to a volume alone."""
    if payload.output_url is not None:
        return remote.output(payload.output_url)
    return None if bucket is None else bucket.output(payload.namespace, payload.published_as)
