"""What a URL names, what may be used of it, and how messages call it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials
from recon_api.errors import UsageError

NO_CREDENTIALS = Credentials()

BUCKET_URL = r"s3://[A-Za-z0-9][-A-Za-z0-9._]*(/[^\s?#]*)?"
"""Pattern of a bucket's URL, or of a prefix in one."""


@dataclass(frozen=True)
class RemotePolicy:
    """What the installation lets jobs do with URLs."""

    max_bytes: int = 64 << 30
    timeout_s: float = 3600.0
    allowed_hosts: Collection[str] = ()
    """Hosts, in lower case, that may have private addresses."""
    s3_endpoint_url: str | None = None
    """Where buckets are whose Secret does not say it; AWS where nothing does."""
    ca_file: str | None = None
    """Certificates that are trusted instead of the system's."""


@dataclass(frozen=True)
class RemoteLocation:
    """A URL, its credentials, and what is allowed."""

    field_name: str
    """The field of the spec that leads there: `input.url`, `output.url`, or a path in the installation's own bucket."""
    url: str = field(repr=False)
    """It may hold a signature: it is never shown."""
    credentials: Credentials = field(default=NO_CREDENTIALS, repr=False)
    policy: RemotePolicy = RemotePolicy()
    storage_path: str | None = None
    """What the field says, where the URL is the installation's and none that a job names."""

    @property
    def scheme(self) -> str:
        """`https`, `s3`, `gs` or `az`."""
        return urlsplit(self.url).scheme

    @property
    def bucket(self) -> str:
        """The bucket, or the host."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The part after the host, without a leading slash; a key in a bucket is taken as it stands."""
        if self.scheme == "https":
            return unquote(urlsplit(self.url).path).lstrip("/")
        return self.url.split("://", 1)[1].partition("/")[2]

    @property
    def name(self) -> PurePosixPath:
        """Its last part."""
        return PurePosixPath(PurePosixPath(self.path).name)

    def __str__(self) -> str:
        """Return what messages call it: without what may be secret in it."""
        if self.storage_path is not None:
            return f"{self.field_name} {self.storage_path!r} ({self.url})"
        return f"{self.field_name} '{shown_url(self.url)}'"


def shown_url(url: str) -> str:
    """Return a URL without what may be secret in it: a user and password, or a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True)
class RemoteAccess:
    """What one attempt may do with URLs."""

    policy: RemotePolicy = RemotePolicy()
    credentials: AttemptCredentials | None = field(default=None, repr=False)

    def input(self, url: str) -> RemoteLocation:
        """Return where the photos are."""
        own = self.credentials.input if self.credentials else None
        return RemoteLocation("input.url", url, own or NO_CREDENTIALS, self.policy)

    def output(self, url: str) -> RemoteLocation:
        """Return where the result goes."""
        own = self.credentials.output if self.credentials else None
        return RemoteLocation("output.url", url, own or NO_CREDENTIALS, self.policy)


def check_scheme(location: RemoteLocation, url: str) -> None:
    """Raise `UsageError` where a URL, perhaps one that a server leads on to, may not be used."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise UsageError(
            reasons.ADDRESS_NOT_ALLOWED, f"{location} leads to a {parts.scheme}:// address; only https:// is read"
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            reasons.INVALID_SPEC, f"{location} holds a user name; put it into a Secret and name that in secretName"
        )
