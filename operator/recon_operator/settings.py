"""The operator's settings, read from the environment once."""

import socket
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from recon_api.spec import MAX_SECONDS
from recon_api.status import MAX_INSTALLATION_LENGTH
from recon_operator.clients.kubernetes_api import own_namespace
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.jobs.installation import Installation
from recon_operator.leader.election import LeaseTimes
from recon_runtime.settings import CommaSeparated, ProcessSettings

LAST_BEAT_S = 5.0
"""How much longer than a lease lives an attempt may be silent before it is lost: one that was renewed at the last moment is
still waited for. A beat of the workers' (LEASE_BEAT_S, 4 s), and a second for its way."""


class OperatorSettings(ProcessSettings):
    """Environment variables of the same names in capitals."""

    redis_timeout_s: float = Field(default=2.0, gt=0)
    """How long Redis may take to answer before its state counts as unknown."""

    namespaces: CommaSeparated = ()
    """The namespaces that are looked after, separated by commas; all where empty."""
    installation: str = Field(default="", max_length=MAX_INSTALLATION_LENGTH)
    """What all replicas of this installation are called together, in the status of the jobs that they manage (`status.operator`);
    namespace and name of the lease, `<LEASE_NAMESPACE>/<LEASE_NAME>`, where empty."""
    adopt_from: CommaSeparated = ()
    """Other installations, by the same names and separated by commas, whose jobs this one takes over. They must be gone: a job whose
    operator still runs would run on two workers."""
    restored_jobs: Literal["Run", "Hold"] = "Run"
    """What becomes of a finished job that a backup restores without its status: it runs again (`Run`), or it is held until its annotation
    `reconstruction.dev/restored-job` says `Run` (`Hold`)."""
    default_model: str = "multiview"
    """The model of a job that names none."""

    default_ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=MAX_SECONDS)
    """How long finished jobs stay that name no ttlSecondsAfterFinished; for ever where empty."""

    cancellation_expiry_s: float = Field(default=3600.0, gt=0, le=MAX_SECONDS)
    """How long a request for cancellation waits for its confirmation."""
    cancellation_grace_s: float = Field(default=10.0, ge=0)
    """How long an attempt may take to stop by itself before it is killed."""
    lease_ttl_s: float = Field(default=20.0, gt=0)
    """The workers' LEASE_TTL_S: an attempt that is silent for 5 s more is lost."""
    delete_force_s: float = Field(default=300.0, ge=0)
    """How long a deleted job waits for Redis before it goes without being stopped."""

    progress_interval_s: float = Field(default=5.0, ge=0)
    """The shortest time between two writes of one job's progress."""
    status_writes_per_s: float = Field(default=20.0, gt=0)
    """How many writes of progress and queue positions all jobs share; transitions are not limited."""
    concurrency: int = Field(default=32, ge=1)
    """How many jobs are written to the API server at once."""
    relist_interval_s: float = Field(default=600.0, gt=0)
    """How often all jobs are listed, to notice what the watch has missed."""

    leader_election: bool = False
    """Whether several operators run, of which one leads; the others stand by."""
    lease_namespace: str = ""
    """Namespace of the lease by which they agree; the Pod's own where empty."""
    lease_name: str = Field(default="reconstruction-operator", min_length=1)
    """Name of that lease: the same for all operators that look after the same namespaces."""
    pod_name: str = Field(default_factory=socket.gethostname, min_length=1)
    """What this operator is called in the lease; the name of its host where it is not set."""
    lease_duration_s: int = Field(default=15, ge=1)
    """How long the leader's lease must have stood still before another operator takes it."""
    lease_renew_deadline_s: float = Field(default=10.0, gt=0)
    """How long a leader that cannot renew its lease goes on writing; then it ends."""
    lease_retry_period_s: float = Field(default=2.0, gt=0)
    """How often the lease is renewed; a standby takes one that was released within this time."""

    worker_namespace: str = ""
    """The namespace of the workers' Pods: those of busy workers are marked there, so that scaling down takes idle ones. None is marked
    where it is empty."""
    worker_selector: str = ""
    """The label selector of the workers' Pods."""

    http_port: int = Field(default=8080, ge=0, le=65535)
    """Port of /healthz, /readyz and /metrics; 0 takes any free one."""
    http_host: str = "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside the Pod
    """Address of the same."""

    @field_validator("default_ttl_seconds_after_finished", mode="before")
    @classmethod
    def _for_ever_where_empty(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _lease_outlasts_its_holder(self) -> Self:
        if not self.lease_duration_s > self.lease_renew_deadline_s >= 2 * self.lease_retry_period_s:
            raise ValueError(
                "LEASE_DURATION_S must be longer than LEASE_RENEW_DEADLINE_S, and that twice as long as LEASE_RETRY_PERIOD_S"
            )
        return self

    def lease_times(self) -> LeaseTimes:
        """Return the times of the leader's lease."""
        return LeaseTimes(self.lease_duration_s, self.lease_renew_deadline_s, self.lease_retry_period_s)

    def this_installation(self) -> Installation:
        """Return what this installation is called, and whose jobs it takes over."""
        namespace = self.lease_namespace or own_namespace()
        return Installation(self.installation or f"{namespace}/{self.lease_name}", frozenset(self.adopt_from))

    @property
    def lost_after_s(self) -> float:
        """How long an attempt may be silent before it is lost."""
        return self.lease_ttl_s + LAST_BEAT_S

    def limits(self) -> PolicySettings:
        """Return the numbers that decisions depend on."""
        return PolicySettings(
            default_model=self.default_model,
            installation=self.this_installation().identity,
            cancellation_expiry_s=self.cancellation_expiry_s,
            cancellation_grace_s=self.cancellation_grace_s,
            lost_after_s=self.lost_after_s,
            progress_interval_s=self.progress_interval_s,
            delete_force_s=self.delete_force_s,
            watch_interval_s=self.lease_ttl_s / 2,
            retry_redis_s=min(5.0, self.lease_ttl_s / 4),
        )
