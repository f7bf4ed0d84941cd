"""Jobs and observations from which a test states only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from recon_api.keys import task_id
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, ProgressMeta
from recon_api.reasons import Blame, reason_of
from recon_api.resource import FINALIZER, FINISHED_LABEL, ObjectMeta, ReconstructionJob
from recon_api.spec import ReconstructionJobSpec
from recon_api.status import (
    Attempt,
    CancellationState,
    CancellationStatus,
    Condition,
    ConditionStatus,
    ConditionType,
    Phase,
    ReconstructionJobStatus,
    WorkerStatus,
)
from recon_api.steps import Step
from recon_operator.decide.observation import Observation

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
UID = "uid-1"
OWNER = ClaimOwner(worker="worker-0", boot_id="boot-1", nonce="nonce", node="node-1", gpu="H200")


def ago(seconds: float) -> datetime:
    """Return the time so long before now."""
    return NOW - timedelta(seconds=seconds)


def make_job(
    *,
    name: str = "chair",
    uid: str = UID,
    namespace: str = "studio",
    status: ReconstructionJobStatus | None = None,
    finalizer: bool | None = None,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    deleted_s_ago: float | None = None,
    created_s_ago: float = 60.0,
    resource_version: str = "7",
    generation: int = 1,
    **spec: Any,
) -> ReconstructionJob:
    """Return a job; its finalizer is there where an attempt is open, unless said otherwise."""
    status = status or ReconstructionJobStatus()
    is_open = bool(status.attempts) and status.attempts[-1].end_time is None
    metadata = ObjectMeta(
        name=name,
        namespace=namespace,
        uid=uid,
        resource_version=resource_version,
        generation=generation,
        creation_timestamp=ago(created_s_ago),
        deletion_timestamp=None if deleted_s_ago is None else ago(deleted_s_ago),
        finalizers=(FINALIZER,) if (is_open if finalizer is None else finalizer) else (),
        labels=labels or {},
        annotations=annotations or {},
    )
    return ReconstructionJob(
        metadata=metadata, spec=ReconstructionJobSpec.model_validate({"model": "synthetic", **spec}), status=status
    )


def condition(kind: ConditionType, holds: str, reason: str, message: str = "", since: datetime = NOW) -> Condition:
    """Return a condition of generation 1."""
    return Condition(
        type=kind,
        status=ConditionStatus(holds),
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=1,
    )


def queued(**fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job that waits and has had no attempt."""
    conditions = (condition(ConditionType.QUEUED, "True", "Queued", "The job waits for a worker", ago(30)),)
    base = {"phase": Phase.QUEUED, "observed_generation": 1, "model": "synthetic", "conditions": conditions}
    return ReconstructionJobStatus(**{**base, "message": "The job waits for a worker", **fields})


def dispatched(number: int = 1, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job whose attempt was sent and has not been taken."""
    message = f"Attempt {number} waits for a worker to take it"
    base = {
        "execution_attempts": number,
        "task_id": task_id(UID, number),
        "attempts": (*ended_attempts(number - 1), Attempt(number=number))[-5:],
        "ignored_attempts": number - 1,
        "message": message,
        "conditions": (condition(ConditionType.QUEUED, "True", "Dispatched", message, ago(30)),),
    }
    return queued(**{**base, **fields})


def running(number: int = 1, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job whose attempt runs on worker-0 since 20 s."""
    message = f"Attempt {number} runs on worker worker-0"
    base = {
        "phase": Phase.RUNNING,
        "message": message,
        "worker": WorkerStatus(name="worker-0", node="node-1", gpu="H200"),
        "start_time": ago(20),
        "attempts": (
            *ended_attempts(number - 1),
            Attempt(number=number, worker="worker-0", start_time=ago(20)),
        )[-5:],
        "conditions": (
            condition(ConditionType.QUEUED, "False", "Started", message, ago(20)),
            condition(ConditionType.RUNNING, "True", "Started", message, ago(20)),
        ),
    }
    return dispatched(number, **{**base, **fields})


def told(told_s_ago: float, *, number: int = 1) -> Attempt:
    """Return an attempt that runs on worker-0 since 20 s and was told to stop so long ago."""
    return Attempt(number=number, worker="worker-0", start_time=ago(20), stop_time=ago(told_s_ago))


def ended(reason: str, *, number: int = 1, ended_s_ago: float = 1.0, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job whose latest attempt has ended for this reason, as have those before it."""
    attempts = ended_attempts(number, reason=reason, ended_s_ago=ended_s_ago)[-5:]
    counts = {Blame.JOB: "failed_attempts", Blame.INFRASTRUCTURE: "ignored_attempts"}.get(reason_of(reason).blame)
    base = {"execution_attempts": number, "attempts": attempts, "task_id": task_id(UID, number)}
    return queued(**{**base, **({counts: number} if counts else {}), **fields})


def ended_attempts(count: int, *, reason: str = "WorkerLost", ended_s_ago: float = 1.0) -> tuple[Attempt, ...]:
    """Return so many attempts that have ended for this reason."""
    return tuple(
        Attempt(number=n, worker="worker-0", start_time=ago(50), end_time=ago(ended_s_ago), reason=reason)
        for n in range(1, count + 1)
    )


FINAL_CONDITIONS = {
    Phase.SUCCEEDED: (ConditionType.COMPLETE, "Completed"),
    Phase.FAILED: (ConditionType.FAILED, "BackoffLimitExceeded"),
    Phase.CANCELLED: (ConditionType.CANCELLED, "Cancelled"),
}


def finished(phase: Phase, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job that has ended."""
    kind, reason = FINAL_CONDITIONS[phase]
    final = condition(kind, "True", reason, since=ago(1))
    return ended(reason, **{"phase": phase, "completion_time": ago(1), "conditions": (final,), **fields})


def requested(*, ago_s: float = 60.0, state: CancellationState = CancellationState.REQUESTED) -> CancellationStatus:
    """Return the cancellation of a job whose request was noted so long ago, for an hour."""
    return CancellationStatus(state=state, requested_at=ago(ago_s), expires_at=ago(ago_s - 3600))


def make_observation(**fields: Any) -> Observation:
    """Return an observation of attempt 1, which is authorised, in which Redis answers and a worker is connected."""
    attempt = fields.get("attempt", 1)
    return Observation(**{"attempt": attempt, "authorised": attempt or None, "workers": 1, **fields})


def alive(**fields: Any) -> Observation:
    """Return the observation of a running attempt."""
    return make_observation(**{"claim": OWNER, "leased": True, **fields})


def completed(attempt: int = 1) -> AttemptResult:
    """Return the result of an attempt that published its files."""
    return AttemptResult(
        outcome=Outcome.COMPLETED, attempt=attempt, worker="worker-0", started_at=ago(20), finished_at=ago(1)
    )


def failed(reason: str, *, attempt: int = 1, message: str = "it broke", **fields: Any) -> AttemptResult:
    """Return the result of an attempt that failed."""
    return AttemptResult(
        outcome=Outcome.FAILED,
        attempt=attempt,
        reason=reason,
        message=message,
        worker="worker-0",
        started_at=ago(20),
        finished_at=ago(1),
        **fields,
    )


def stopped(attempt: int = 1, reason: str = "Cancelled") -> AttemptResult:
    """Return the result of an attempt that stopped as it was told."""
    return AttemptResult(outcome=Outcome.CANCELLED, attempt=attempt, reason=reason, message="told to stop")


def report(percentage: float, step: Step = Step.RECONSTRUCTION) -> ProgressMeta:
    """Return what a worker reports of its progress."""
    return ProgressMeta(progress=percentage, step=step)


LABELLED = {FINISHED_LABEL: "true"}
