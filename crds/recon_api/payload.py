"""What travels between operator and worker: an attempt's task, its progress, its outcome, and the workers' registry."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from recon_api.status import Metric, Output, PhotoCount, StepTime
from recon_api.steps import Step
from recon_api.trace_context import parse_traceparent

PHOTOS_PLACED = "photosPlaced"
"""Name of the metric that says how many photos could be placed, as `n/m`."""

PLACING = "placing"
"""Name of the metric that says with which effort photos are being placed, and how many efforts there are."""

PHOTOS = "photos"
"""Name of the metric that says how many photos the job has."""

INPUT_BYTES = "inputBytes"
"""Name of the metric that says how large their files are, as the user gave them."""


class Message(BaseModel):
    """Something that travels; newer senders may add fields, which are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class TaskPayload(Message):
    """Keyword arguments of the task `reconstruction.process`: everything an attempt needs to know."""

    job_id: str
    """UID of the resource."""
    model_type: str = "reconviagen"
    namespace: str
    name: str
    attempt: int = Field(ge=1)
    """Number of this attempt; the fencing token."""
    input_path: str | None = None
    """Relative to `<storage>/inputs/<namespace>/`."""
    input_url: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    """As in the spec (camelCase keys); the model checks them."""
    output_path: str | None = None
    """Relative to `<storage>/outputs/<namespace>/`; the job's name where absent."""
    output_url: str | None = None
    has_credentials: bool = False
    """Whether sealed credentials wait in `credentials:{uid}.{n}`."""
    traceparent: str | None = None
    """W3C trace context of the attempt's span, where the operator tells traces."""

    @property
    def published_as(self) -> str:
        """What the result is published as, relative to `<storage>/outputs/<namespace>/`."""
        return self.output_path or self.name

    @field_validator("traceparent", mode="before")
    @classmethod
    def _only_a_traceparent(cls, value: object) -> object:
        """Take nothing else: a trace that can't be followed is no reason to refuse a job."""
        return value if isinstance(value, str) and parse_traceparent(value) else None


class DiscardPayload(Message):
    """Keyword arguments of the task `reconstruction.discard`: what of a job that has ended is to be removed."""

    job_id: str
    """UID of the resource."""
    namespace: str
    output_path: str | None = None
    """Its outputs, relative to `<storage>/outputs/<namespace>/`, where they are to go too."""
    logs: bool | None = None
    """Whether the logs of its attempts are to go too, as the job is gone."""


class JobFiles(Message):
    """Entry of a job in `job_files`: it has logs in the storage."""

    namespace: str
    name: str
    gpu_class: str
    """Whose workers can remove them."""
    attempt: int = Field(ge=1)
    """The latest one that has a log."""


class TaskResult(Message):
    """What the task returns to Celery."""

    status: str
    """`completed` or `cancelled`."""
    job_id: str
    output_path: str


class JobWarning(Message):
    """Something that its owner should know about a job that goes on, or has succeeded."""

    reason: str
    """A documented reason."""
    message: str


class ProgressMeta(Message):
    """Meta of Celery's `PROGRESS` state."""

    progress: float = Field(ge=0, le=100)
    """Percentage of the whole job."""
    step: Step
    metrics: tuple[Metric, ...] = ()
    step_elapsed_s: float = Field(default=0.0, ge=0)
    """Seconds since this attempt came to the step, by the worker's own clock."""
    photos: PhotoCount | None = None
    """How many photos the job has, once they are read; older workers leave it out."""
    warnings: tuple[JobWarning, ...] = ()
    """What the attempt has warned of so far."""
    log: str = ""
    """Where its log can be read, if it can be by now; older workers leave it out."""


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class AttemptResult(Message):
    """Value of `result:{uid}.{n}`: how attempt n ended."""

    outcome: Outcome
    attempt: int
    worker: str = ""
    log: str = ""
    """Where its log can be read; older workers leave it out."""
    reason: str = ""
    """Name of a documented reason; empty where completed."""
    message: str = ""
    retry_after_s: float = 0.0
    outputs: tuple[Output, ...] = ()
    metrics: tuple[Metric, ...] = ()
    warnings: tuple[JobWarning, ...] = ()
    """What the owner should know of a completed job, the same whichever attempt completed it."""
    photos: PhotoCount | None = None
    """How many photos the job has, where the attempt completed it; older workers leave it out."""
    input_bytes: int | None = Field(default=None, ge=0)
    """How large their files are, as the user gave them; the same."""
    steps: tuple[StepTime, ...] = ()
    """How long each step took that is finished, whichever attempt ran it."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ran_s: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """How long the attempt ran, by the worker's steady clock: the two times above are of a clock that may be wrong, and may be
    set meanwhile. Older workers leave it out."""


class FinishedRun(Message):
    """One entry of `durations:{model}:{quality}`: how long the steps of a finished job took, to estimate others by."""

    uid: str
    """Of the job: none is counted twice."""
    finished_at: AwareDatetime
    photos: int | None = None
    """How many photos it had; none where the model reads none."""
    gpu: str = ""
    """As in `ClaimOwner`."""
    steps: tuple[StepTime, ...] = ()


class RefusedMessage(Message):
    """One entry of `refused_messages`: a message that a worker took and did not run, as nobody here sends such."""

    refused_at: AwareDatetime
    worker: str
    source: str
    """The queue, or the channel of remote control."""
    fault: str
    """Kind of the fault; also the label of the metric."""
    detail: str
    """Which field is wrong, and how."""
    size_bytes: int
    start: str
    """How the message begins; what is no text is escaped."""


class ClaimOwner(Message):
    """Value of `claim:{uid}.{n}` and `lease:{uid}.{n}`: which process runs the attempt."""

    worker: str
    """Name of the worker."""
    boot_id: str
    """Drawn anew each time the worker starts: the same worker with another boot id no longer runs the attempt."""
    nonce: str
    """Drawn anew for each copy of a message."""
    node: str = ""
    gpu: str = ""


class WorkerDescription(Message):
    """Value of `worker:{name}`: a connected worker."""

    name: str
    boot_id: str
    gpu_class: str = "any"
    node: str = ""
    gpu: str = ""
    """Name of the GPU, or `cpu`."""
    models: tuple[str, ...] = ()
