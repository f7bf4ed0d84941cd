"""The status of a job, written by the operator alone."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from recon_api.base import ObservedModel
from recon_api.spec import MAX_SECONDS

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Of the times that a status can name: far enough from the calendar's ends to be reckoned with."""


def _in_those_years(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
    return at


TIME = r"^(19[7-9][0-9]|2[01][0-9]{2})-.*T.*(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
"""Those years, and an offset that exists: the API server's own format lets others through."""

Time = Annotated[datetime, AfterValidator(_in_those_years), Field(json_schema_extra={"pattern": TIME})]
"""A time in a status that everybody can read."""

EPOCH = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
"""Stands for a time that is not known."""

MAX_ATTEMPTS = 1_000_000
"""No job comes to so many attempts; a larger number was made up."""

KEPT_ATTEMPTS = 5
"""How many attempts a status keeps."""

MAX_WARNINGS = 10
"""How many warnings a status keeps."""

MAX_WARNING_LENGTH = 1024
"""Characters of one."""

MAX_INSTALLATION_LENGTH = 512
"""Characters of an installation's identity: a namespace, a slash and a name are 317 at most."""

AttemptCount = Annotated[int, Field(ge=0, le=MAX_ATTEMPTS)]
"""How many attempts there were of some kind."""

ONE_OF_A_TYPE: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
"""The API server refuses a second condition of a type."""


class Phase(StrEnum):
    """Where a job is in its life. A finished phase is never left."""

    PENDING = "Pending"
    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    RETRYING = "Retrying"
    CANCELLING = "Cancelling"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def finished(self) -> bool:
        """Whether the job has ended."""
        return self in FINAL_PHASES.values()


class ConditionType(StrEnum):
    """The conditions of a job. Complete, Failed and Cancelled are exclusive and written once.

    Finished, Ready, Reconciling and Stalled sum up the rest. PartialResult says that the model does not show all photos.
    """

    QUEUED = "Queued"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    CANCELLATION_REQUESTED = "CancellationRequested"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    FINISHED = "Finished"
    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PARTIAL_RESULT = "PartialResult"


FINAL_PHASES = {
    ConditionType.COMPLETE: Phase.SUCCEEDED,
    ConditionType.FAILED: Phase.FAILED,
    ConditionType.CANCELLED: Phase.CANCELLED,
}
"""The conditions that say how a job ended, and the phase that goes with each."""


class ConditionStatus(StrEnum):
    """As in every Kubernetes condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ObservedModel):
    """One observation about the job, as Kubernetes' own conditions are written."""

    type: ConditionType
    status: ConditionStatus
    reason: str
    """A documented reason."""
    message: str = ""
    last_transition_time: Time
    observed_generation: int = 0


class CancellationState(StrEnum):
    """How far a cancellation has come."""

    REQUESTED = "Requested"
    CONFIRMED = "Confirmed"
    STOPPING = "Stopping"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"


class CancellationStatus(ObservedModel):
    """The cancellation as the operator has seen it."""

    state: CancellationState
    requested_at: Time | None = None
    expires_at: Time | None = None
    """When an unconfirmed request is forgotten."""
    confirmed_at: Time | None = None
    cancelled_at: Time | None = None


class QueueStatus(ObservedModel):
    """The job's place among those that wait."""

    position: Annotated[int, Field(ge=1)] | None = None
    """1 is next."""
    estimated_start_time: Time | None = None


class WorkerStatus(ObservedModel):
    """The worker that runs the job, or ran it last."""

    name: str
    node: str = ""
    gpu: str = ""


class Metric(ObservedModel):
    """A named figure of the running job, such as the number of photos that were placed."""

    name: str
    value: str


PhotoCount = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Progress(ObservedModel):
    """How far the running attempt is."""

    percentage: Annotated[int, Field(ge=0, le=100)] = 0
    step: str = ""
    estimated_remaining_seconds: Annotated[int, Field(ge=0)] | None = None
    last_updated_time: Time | None = None
    metrics: tuple[Metric, ...] = ()
    photos: PhotoCount | None = None
    """How many photos the job has, once they are read; none where its model reads none."""
    percent: str = ""
    """percentage as kubectl get shows it, such as 45%."""
    remaining: str = ""
    """estimatedRemainingSeconds as kubectl get shows it, such as 3m20s."""


class StepTime(ObservedModel):
    """How long a step of a finished job took."""

    name: str
    seconds: Annotated[float, Field(ge=0)]
    """Running time, over all attempts that worked on it."""


class Attempt(ObservedModel):
    """One attempt at the job; the last five are kept."""

    number: Annotated[int, Field(ge=1, le=MAX_ATTEMPTS)]
    worker: str = ""
    start_time: Time | None = None
    stop_time: Time | None = None
    """When it was told to stop: by a cancellation, a suspension, a deadline or a deletion."""
    end_time: Time | None = None
    reason: str = ""
    message: str = ""
    log: str = ""
    """URI of its log, beside the outputs; in a bucket it is there once the attempt has ended. It goes with the job."""


class Output(ObservedModel):
    """A file that the job has published."""

    name: str
    uri: str
    media_type: str = ""
    bytes: Annotated[int, Field(ge=0)] = 0
    sha256: str = ""


class ReconstructionJobStatus(ObservedModel):
    """The whole status. Its default phase means: not yet seen by the operator."""

    phase: Phase = Phase.PENDING
    observed_generation: int = 0
    """Generation of the spec that this status speaks of."""
    operator: Annotated[str, Field(max_length=MAX_INSTALLATION_LENGTH)] = ""
    """The installation of the operator that manages the job: the one that wrote its status first. Every other one leaves it alone."""
    message: str = ""
    """One sentence on where the job stands."""
    model: str = ""
    """The model that is used."""
    task_id: Annotated[str, Field(alias="taskID")] = ""
    """Celery task of the current attempt, `<uid>.<attempt>`."""
    execution_attempts: AttemptCount = 0
    """Number of the latest attempt; the fencing token of everything it writes."""
    failed_attempts: AttemptCount = 0
    """Attempts that count against spec.backoffLimit."""
    ignored_attempts: AttemptCount = 0
    """Attempts that do not count: what the cluster lost, and what a rule with action Ignore matched."""
    attempts: Annotated[tuple[Attempt, ...], Field(max_length=KEPT_ATTEMPTS)] = ()
    start_time: Time | None = None
    """When the first attempt started to run."""
    completion_time: Time | None = None
    active_seconds: Annotated[int, Field(ge=0, le=MAX_SECONDS)] = 0
    """Running time of all attempts that have ended."""
    queue: QueueStatus | None = None
    worker: WorkerStatus | None = None
    progress: Progress | None = None
    cancellation: CancellationStatus | None = None
    steps: Annotated[tuple[StepTime, ...], Field(max_length=20)] = ()
    """How long each step took, once the job has succeeded."""
    outputs: tuple[Output, ...] = ()
    warnings: Annotated[
        tuple[Annotated[str, Field(max_length=MAX_WARNING_LENGTH)], ...], Field(max_length=MAX_WARNINGS)
    ] = ()
    """What its owner should know of a job that did not fail, such as photos that are not used, a sentence each."""
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20, json_schema_extra=ONE_OF_A_TYPE)] = ()

    @property
    def is_unseen(self) -> bool:
        """Whether no operator has written it: it is as the API server makes it for a new job."""
        return self.phase is Phase.PENDING and self.observed_generation == 0 and self.execution_attempts == 0

    def condition(self, kind: ConditionType) -> Condition | None:
        """Return the condition of that type, if it was ever set."""
        return next((c for c in self.conditions if c.type == kind), None)

    @property
    def final_conditions(self) -> tuple[Condition, ...]:
        """The conditions that say how the job ended: one of a finished job, none of any other."""
        return tuple(c for c in self.conditions if c.type in FINAL_PHASES and c.status is ConditionStatus.TRUE)

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt that was sent and has not ended."""
        latest = self.attempts[-1] if self.attempts else None
        return latest if latest and latest.end_time is None else None
