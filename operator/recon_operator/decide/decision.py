"""What a pass is to do: a status to write, effects in Redis and Celery, and events, as plain values."""

from dataclasses import dataclass
from datetime import datetime

from recon_api.payload import TaskPayload
from recon_api.reasons import Reason
from recon_api.status import ReconstructionJobStatus


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event about a transition."""

    reason: Reason
    message: str
    warning: bool = False


@dataclass(frozen=True)
class AuthoriseAttempt:
    """Let workers run this attempt, and no other one."""

    attempt: int


@dataclass(frozen=True)
class SendAttempt:
    """Authorise an attempt, then send its task to the workers. Harmless when repeated: one copy is ever claimed."""

    payload: TaskPayload
    gpu_class: str
    event: Event | None = None
    """Published once the message is sent; none where it has been sent before."""


@dataclass(frozen=True)
class SetRequestFlag:
    """Set the flag of the first step of a cancellation."""


@dataclass(frozen=True)
class ClearFlags:
    """Clear the flags of a cancellation that is off."""


@dataclass(frozen=True)
class SetStopFlag:
    """Set the flag of the second step and wake the attempt, so that it stops at its next check."""


@dataclass(frozen=True)
class HoldAttempts:
    """Let no attempt of the job run, and wake the one that does: it stops at its next check and keeps its finished steps."""


@dataclass(frozen=True)
class KillAttempt:
    """Kill the process that runs the attempt: it did not stop by itself in time."""

    attempt: int


@dataclass(frozen=True)
class DiscardFiles:
    """Have a worker delete what the job left in the storage; best effort."""

    gpu_class: str


@dataclass(frozen=True)
class StopLater:
    """Stop the attempt of a job that goes while Redis does not answer, and delete its files, as soon as it does."""

    gpu_class: str


@dataclass(frozen=True)
class ForgetJob:
    """Delete the job's authorisation and flags: from now on every copy of its messages is refused."""


Effect = (
    AuthoriseAttempt
    | SendAttempt
    | SetRequestFlag
    | ClearFlags
    | SetStopFlag
    | HoldAttempts
    | KillAttempt
    | DiscardFiles
    | StopLater
    | ForgetJob
)


@dataclass(frozen=True)
class Decision:
    """What to do about one job, in the order in which `act` does it."""

    status: ReconstructionJobStatus
    """The whole status as it should be; written only where it differs."""
    finalizer: bool
    """Whether the object must have our finalizer; set before the status, removed after the effects."""
    finished: bool = False
    """Whether the object must have the label by which finished jobs leave the watch."""
    effects: tuple[Effect, ...] = ()
    """Done once the status is written."""
    events: tuple[Event, ...] = ()
    """Published where this decision's status was written."""
    look_again_at: datetime | None = None
    """When time alone may change the answer; any news of the job comes earlier."""
