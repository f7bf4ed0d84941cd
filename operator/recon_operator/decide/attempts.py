"""The attempts of a job: begun, ended, and counted."""

from datetime import datetime
from typing import Any

from recon_api.keys import task_id
from recon_api.payload import TaskPayload
from recon_api.reasons import Reason
from recon_api.spec import MAX_SECONDS
from recon_api.status import KEPT_ATTEMPTS, Attempt, ConditionType
from recon_operator.decide.context import Situation, bounded


def begin_attempt(situation: Situation, number: int) -> Situation:
    """Return the situation with this attempt in its status; nothing of the one before stays in progress or worker."""
    return situation.change(
        execution_attempts=number,
        task_id=task_id(situation.job.uid, number),
        attempts=(*situation.status.attempts, Attempt(number=number))[-KEPT_ATTEMPTS:],
        progress=None,
        worker=None,
        queue=None,
    )


def change_attempt(situation: Situation, **fields: Any) -> Situation:
    """Return the situation with these fields of its latest attempt changed."""
    *others, latest = situation.status.attempts
    return situation.change(attempts=(*others, latest.model_copy(update=fields)))


def end_attempt(situation: Situation, reason: Reason, message: str, at: datetime | None = None) -> Situation:
    """Return the situation with its open attempt ended, if it has one; its running time is added up."""
    latest = situation.attempt
    if latest is None:
        return situation
    claim, result = situation.seen.claim, situation.seen.result
    started = latest.start_time or (whole_second(result.started_at) if result else None)
    ended = max(at or situation.timestamp, started or situation.timestamp)
    ran_s = int((ended - started).total_seconds()) if started else 0
    situation = change_attempt(
        situation,
        worker=latest.worker or (claim.worker if claim else result.worker if result else ""),
        start_time=started,
        end_time=ended,
        reason=reason.name,
        message=bounded(message),
    ).change(
        active_seconds=min(situation.status.active_seconds + ran_s, MAX_SECONDS),
        start_time=situation.status.start_time or started,
    )
    return situation.end_condition(ConditionType.RUNNING, reason, message)


def payload(situation: Situation) -> TaskPayload:
    """Return what the worker of the latest attempt needs to know."""
    job = situation.job
    return TaskPayload(
        job_id=job.uid,
        model_type=situation.status.model,
        namespace=job.metadata.namespace,
        name=job.metadata.name,
        attempt=situation.status.execution_attempts,
        input_path=job.spec.input.path if job.spec.input else None,
        input_url=job.spec.input.url if job.spec.input else None,
        parameters=job.spec.parameters.as_payload(),
        output_path=job.spec.output.path,
        output_url=job.spec.output.url,
        has_credentials=job.spec.needs_credentials,
    )


def sent(number: int) -> str:
    """Return the message of an attempt that was sent and that no worker has taken yet."""
    return f"Attempt {number} is sent to the workers"


def whole_second(at: datetime | None) -> datetime | None:
    """Return a time as Kubernetes writes it."""
    return at.replace(microsecond=0) if at else None
