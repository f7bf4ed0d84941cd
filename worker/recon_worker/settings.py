"""The worker's settings, read from the environment once."""

import re
import socket
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from recon_api.credentials import Credentials
from recon_api.keys import DEFAULT_GPU_CLASS
from recon_runtime.settings import CommaSeparated, ProcessSettings
from recon_worker.inputs.limits import InputLimits
from recon_worker.remote.places import RemotePolicy
from recon_worker.storage import bucket as bucket_storage
from recon_worker.storage.bucket import BucketStorage


class WorkerSettings(ProcessSettings):
    """Environment variables of the same names in capitals; limits of inputs as `INPUT_LIMITS__MAX_PHOTOS` and so on."""

    model_config = SettingsConfigDict(env_nested_delimiter="__")

    job_storage_path: Path = Path("/app/storage/jobs")
    """The shared volume: inputs/, outputs/ and work/. With STORAGE_URL a folder of the worker's own, which holds what is being worked on."""
    storage_url: str = ""
    """A bucket, or a prefix in one, such as s3://bucket/prefix, that holds inputs/ and outputs/ instead of a shared volume."""
    storage_access_key_id: SecretStr | None = None
    """Access key for STORAGE_URL, and for nothing that a job names."""
    storage_secret_access_key: SecretStr | None = None
    """The secret that belongs to it."""
    storage_session_token: SecretStr | None = None
    """The token of temporary credentials."""
    storage_endpoint_url: str | None = None
    """The S3 server of STORAGE_URL, which may have a private address; S3_ENDPOINT_URL where empty."""
    storage_ca_file: str | None = None
    """Certificates by which that server is known; SSL_CERT_FILE's, or the system's, where empty."""
    model_weights_path: Path | None = None
    """Folder with the weights of models that need any."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where models compute; auto takes a GPU where there is one."""
    enable_synthetic: bool = True
    """Whether the model `synthetic` may be used; it makes work and failures on request."""

    worker_name: str = Field(default_factory=socket.gethostname, min_length=1)
    """Name of this worker, unique among those connected: the Pod's."""
    node_name: str = ""
    """Name of the node it runs on."""
    gpu_class: str = DEFAULT_GPU_CLASS
    """The pool that it belongs to: it takes from the queue `reconstruction.<gpuClass>`."""

    lease_ttl_s: float = Field(default=20.0, gt=0)
    """How long a lease and the worker's registration live without a beat: five missed beats."""
    lease_beat_s: float = Field(default=4.0, gt=0)
    """Between two beats of a lease."""
    self_stop_s: float = Field(default=240.0, gt=0)
    """Without contact to Redis for so long, or with nobody asking for it, the attempt stops: by then a later one may run. Shorter than the
    operator's DELETE_FORCE_S: a job that is let go without Redis has stopped by then."""
    stop_grace_s: float = Field(default=20.0, ge=0)
    """How long an attempt may take to leave its step when the worker shuts down or a later attempt takes over; then it is
    killed."""
    liveness_file: Path | None = None
    """A file that the main process touches at every beat; its age tells whether the worker lives."""

    input_limits: InputLimits = InputLimits()

    url_max_bytes: int = Field(default=64 << 30, ge=1)
    """Most bytes that a job brings from its URL."""
    url_timeout_s: float = Field(default=3600.0, gt=0)
    """How long an attempt may take to bring its input, and how long to upload its result."""
    url_allowed_private_hosts: CommaSeparated = ()
    """Hosts, separated by commas, that URLs may lead to though their addresses are private, and S3 endpoints without TLS."""
    s3_endpoint_url: str | None = None
    """Where buckets are whose Secret has no endpointURL; AWS where empty."""
    ssl_cert_file: str | None = None
    """Certificates that are trusted instead of the system's."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of /metrics; nothing is served where it is 0."""
    metrics_host: str = "0.0.0.0"  # noqa: S104 - Prometheus comes from outside the Pod
    """Address of the same."""

    @field_validator("url_allowed_private_hosts")
    @classmethod
    def _in_lower_case(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower() for host in value)

    @field_validator("storage_url")
    @classmethod
    def _is_a_bucket(cls, value: str) -> str:
        if value and not re.fullmatch(bucket_storage.URL, value):
            raise ValueError("must be the URL of a bucket or of a prefix in one, such as s3://bucket/prefix")
        return value.rstrip("/")

    @field_validator("s3_endpoint_url", "ssl_cert_file", "storage_endpoint_url", "storage_ca_file", mode="before")
    @classmethod
    def _nothing_where_empty(cls, value: object) -> object:
        return (value.strip() if isinstance(value, str) else value) or None

    @field_validator("s3_endpoint_url", "storage_endpoint_url")
    @classmethod
    def _is_a_server(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^/\s@]+(/\S*)?", value):
            raise ValueError("must be the URL of a server, such as https://minio.example.com:9000")
        return value

    @model_validator(mode="after")
    def _keys_go_together(self) -> Self:
        if bool(_text_of(self.storage_access_key_id)) != bool(_text_of(self.storage_secret_access_key)):
            raise ValueError("STORAGE_ACCESS_KEY_ID and STORAGE_SECRET_ACCESS_KEY belong together: set both, or none")
        if self.storage_url and not _text_of(self.storage_access_key_id):
            # What is open to requests that are not signed is open to those of any job's URL.
            raise ValueError("STORAGE_URL needs STORAGE_ACCESS_KEY_ID and STORAGE_SECRET_ACCESS_KEY: set both")
        return self

    def bucket_storage(self) -> BucketStorage | None:
        """Return the installation's storage where it is a bucket, None where it is a volume."""
        if not self.storage_url:
            return None
        values = {
            "AWS_ACCESS_KEY_ID": _text_of(self.storage_access_key_id),
            "AWS_SECRET_ACCESS_KEY": _text_of(self.storage_secret_access_key),
            "AWS_SESSION_TOKEN": _text_of(self.storage_session_token),
        }
        policy = self.remote_policy()
        return BucketStorage(
            self.storage_url,
            Credentials(values={name: value for name, value in values.items() if value}),
            replace(
                policy,
                s3_endpoint_url=self.storage_endpoint_url or policy.s3_endpoint_url,
                ca_file=self.storage_ca_file or policy.ca_file,
            ),
        )

    def remote_policy(self) -> RemotePolicy:
        """Return what jobs may do with URLs."""
        return RemotePolicy(
            max_bytes=self.url_max_bytes,
            timeout_s=self.url_timeout_s,
            allowed_hosts=frozenset(self.url_allowed_private_hosts),
            s3_endpoint_url=self.s3_endpoint_url,
            ca_file=self.ssl_cert_file,
        )


def _text_of(value: SecretStr | None) -> str:
    return value.get_secret_value().strip() if value else ""


@cache
def worker_settings() -> WorkerSettings:
    """Return this process's settings; the environment is read at the first call."""
    return WorkerSettings()
