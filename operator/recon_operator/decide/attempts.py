"""The attempts of a job: begun, ended, and counted."""

import math
from datetime import datetime, timedelta
from typing import Any

from recon_api.keys import task_id
from recon_api.payload import AttemptResult, TaskPayload
from recon_api.reasons import DISPATCHED, Reason
from recon_api.spec import MAX_SECONDS
from recon_api.status import KEPT_ATTEMPTS, Attempt, ConditionType
from recon_operator.decide.context import Context, bounded
from recon_operator.decide.decision import Event, SendAttempt


def begin_attempt(context: Context, number: int) -> Context:
    """Return the context with this attempt in its status; nothing of the one before stays in progress or worker."""
    return context.change(
        execution_attempts=number,
        task_id=task_id(context.job.uid, number),
        attempts=(*context.status.attempts, Attempt(number=number))[-KEPT_ATTEMPTS:],
        progress=None,
        worker=None,
        queue=None,
    )


def change_attempt(context: Context, **fields: Any) -> Context:
    """Return the context with these fields of its latest attempt changed."""
    *others, latest = context.status.attempts
    return context.change(attempts=(*others, latest.model_copy(update=fields)))


def end_attempt(context: Context, reason: Reason, message: str) -> Context:
    """Return the context with its open attempt ended, if it has one; its running time is added up.

    It ended when its worker says, as `clock_skew` has put that into our clock, else now; and it ran for as long as its worker
    says, else for as long as we saw it run.
    """
    latest = context.attempt
    if latest is None:
        return context
    claim, result = context.seen.claim, context.seen.result
    started = latest.start_time or (whole_second(result.started_at) if result else None)
    at = whole_second(result.finished_at) if result else None
    ended = max(at or context.timestamp, started or context.timestamp)
    ran_s = _ran_s(result, ended - started) if started else 0
    context = change_attempt(
        context,
        worker=latest.worker or (claim.worker if claim else result.worker if result else ""),
        start_time=started,
        end_time=ended,
        reason=reason.name,
        message=bounded(message),
        log=(result.log if result else "") or latest.log,
    ).change(
        active_seconds=min(context.status.active_seconds + ran_s, MAX_SECONDS),
        start_time=context.status.start_time or started,
    )
    return context.end_condition(ConditionType.RUNNING, reason, message)


def _ran_s(result: AttemptResult | None, seen: timedelta) -> int:
    """Return the running time; a second that was begun counts, as start times are whole seconds before the true ones."""
    told_s = result.ran_s if result else None
    return math.ceil(min(seen.total_seconds() if told_s is None else told_s, MAX_SECONDS))


def payload(context: Context) -> TaskPayload:
    """Return what the worker of the latest attempt needs to know."""
    job = context.job
    return TaskPayload(
        job_id=job.uid,
        model_type=context.status.model,
        namespace=job.metadata.namespace,
        name=job.metadata.name,
        attempt=context.status.execution_attempts,
        input_path=job.spec.input.path if job.spec.input else None,
        input_url=job.spec.input.url if job.spec.input else None,
        parameters=job.spec.parameters.as_payload(),
        output_path=job.spec.output.path,
        output_url=job.spec.output.url,
        has_credentials=job.spec.needs_credentials,
    )


def unclaimed(number: int) -> str:
    """Return the message of an attempt that is being sent, or was sent, and that no worker has taken yet."""
    return f"Attempt {number} waits for a worker to take it"


def send(context: Context, *, again: bool = False) -> Context:
    """Return the context with the effect that sends its latest attempt; an Event says so, unless it is sent `again`."""
    number = context.status.execution_attempts
    event = None if again else Event(DISPATCHED, f"Attempt {number} is sent to the workers")
    return context.effect(SendAttempt(payload(context), context.job.spec.gpu_class, event))


def whole_second(at: datetime | None) -> datetime | None:
    """Return a time as Kubernetes writes it."""
    return at.replace(microsecond=0) if at else None
