"""The resource `reconstructionjobs.reconstruction.dev/v1` as the operator reads it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field

from recon_api import rules
from recon_api.base import ObservedModel
from recon_api.spec import ReconstructionJobSpec
from recon_api.status import ReconstructionJobStatus

GROUP = "reconstruction.dev"
VERSION = "v1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "ReconstructionJob"
PLURAL = "reconstructionjobs"
SINGULAR = "reconstructionjob"
SHORT_NAME = "rj"

FINALIZER = f"{GROUP}/stop-before-delete"
"""Ours, only from dispatch to stop: a running job is stopped before its object goes."""

FINISHED_LABEL = f"{GROUP}/finished"
"""Set (`true`) on a job that has ended, so that the watch can leave it out."""

RESTORED_ANNOTATION = f"{GROUP}/restored-job"
"""`Run` or `Hold`, on a job that a backup has restored: what becomes of it, whatever RESTORED_JOBS says."""

MANAGED_BY_US = f"{GROUP}/operator"
"""The value of spec.managedBy that means this operator, as does no value."""


def _ours_of(annotations: object) -> object:
    if not isinstance(annotations, dict):
        return annotations
    return {name: value for name, value in annotations.items() if str(name).startswith(f"{GROUP}/")}


class RestoredJobs(StrEnum):
    """What becomes of a job that a backup has restored without its status: it may have finished long ago."""

    RUN = "Run"
    """It runs, as any job without a status does."""
    HOLD = "Hold"
    """It is held until its annotation says Run."""


class ObjectMeta(ObservedModel):
    """The part of an object's metadata that the operator reads."""

    name: str
    namespace: str
    uid: str
    resource_version: str = ""
    generation: int = 1
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: Annotated[dict[str, str], BeforeValidator(_ours_of)] = Field(default_factory=dict)
    """The operator's own: others are of any size, and each job is kept in memory."""


class ReconstructionJob(ObservedModel):
    """Photos that are to become a 3D model."""

    model_config = ConfigDict(
        json_schema_extra=rules.validations(
            rules.CANCELLATION_STARTS_WITH_REQUEST,
            rules.CONFIRMATION_NEEDS_REQUEST,
            rules.CONFIRMATION_IS_FINAL,
            rules.EXPIRED_REQUEST_IS_NOT_CONFIRMED,
            rules.EXPIRED_REQUEST_IS_WITHDRAWN_FIRST,
            rules.ENDED_JOB_IS_NOT_CANCELLED,
            rules.ENDED_JOB_IS_NOT_SUSPENDED,
        )
    )

    metadata: ObjectMeta
    spec: ReconstructionJobSpec
    status: ReconstructionJobStatus = ReconstructionJobStatus()

    @property
    def uid(self) -> str:
        """The job's id everywhere: in Redis, in the storage, in the logs."""
        return self.metadata.uid

    @property
    def key(self) -> str:
        """`namespace/name`, for people."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def is_ours(self) -> bool:
        """Whether this operator looks after the job, and no other controller that spec.managedBy names."""
        return self.spec.managed_by in (None, MANAGED_BY_US)

    @property
    def restored(self) -> RestoredJobs | None:
        """What its annotation says, if that is there and readable."""
        value = self.metadata.annotations.get(RESTORED_ANNOTATION)
        return next((each for each in RestoredJobs if each == value), None)

    @property
    def is_held_as_restored(self) -> bool:
        """Whether it waits for somebody to say whether it is to run again; one that has been sent once is past that."""
        return self.restored is RestoredJobs.HOLD and not self.status.execution_attempts

    @property
    def has_no_attempt(self) -> bool:
        """Whether no attempt of the job is sent or runs, and one may come."""
        return self.is_ours and not self.status.phase.finished and self.status.open_attempt is None

    @property
    def occupies_worker(self) -> bool:
        """Whether an attempt of the job is sent or runs."""
        return self.is_ours and not self.status.phase.finished and self.status.open_attempt is not None
