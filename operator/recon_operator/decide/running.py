"""Attempts that were sent: unclaimed, running, or unknown because Redis does not answer."""

from recon_api.payload import ClaimOwner
from recon_api.reasons import DISPATCHED, NO_WORKERS, NOT_SENT, STARTED, Reason
from recon_api.status import ConditionType, Phase, WorkerStatus
from recon_operator.decide.active_deadline import with_active_deadline
from recon_operator.decide.attempts import change_attempt, send, unclaimed
from recon_operator.decide.context import Context
from recon_operator.decide.decision import AuthoriseAttempt, Decision
from recon_operator.decide.pre_running_deadline import with_pre_running_deadline
from recon_operator.decide.progress import show_progress


def unknown_attempts_stay_as_they_are(context: Context) -> Context | Decision:
    """Change nothing of an attempt while Redis does not answer."""
    if context.attempt is None or context.seen.known:
        return context
    return context.look_again_in(context.limits.retry_redis_s).decide(finalizer=True)


def running_attempts_are_shown(context: Context) -> Context | Decision:
    """Show the worker and the progress of an attempt whose lease lives, or lapsed too shortly to tell."""
    attempt, seen = context.attempt, context.seen
    if attempt is None:
        return context
    if not attempt.worker:
        if seen.claim is None or not seen.leased:
            return context
        context = _start(context, seen.claim)
    context = _authorise(_show_running(context))
    delay_s = context.limits.watch_interval_s if seen.leased else context.limits.retry_redis_s
    return with_active_deadline(show_progress(context)).look_again_in(delay_s).decide(finalizer=True)


def unclaimed_attempts_are_waited_for(context: Context) -> Context | Decision:
    """Wait for a worker to take the message; send it again where it is known to be nowhere."""
    attempt, seen, limits = context.attempt, context.seen, context.limits
    if attempt is None:
        return context
    if seen.unsent:
        context = send(context)
    elif seen.claim is None and seen.silent_s >= limits.lost_after_s:
        context = send(context, again=True)
    else:
        context = _authorise(context)
    reason, message = _wait_for_worker(context, attempt.number)
    context = context.condition(ConditionType.QUEUED, reason, message).change(phase=Phase.QUEUED, message=message)
    return with_pre_running_deadline(context).look_again_in(limits.retry_redis_s).decide(finalizer=True)


def _wait_for_worker(context: Context, number: int) -> tuple[Reason, str]:
    """Return why no worker has taken the attempt yet, with a sentence."""
    seen = context.seen
    if seen.unsent_because:
        return NOT_SENT, f"Attempt {number} is not sent yet, which is tried again: {seen.unsent_because}"
    if not seen.workers:
        return NO_WORKERS, f"Attempt {number} waits for a worker of gpuClass {context.job.spec.gpu_class}"
    return DISPATCHED, unclaimed(number)


def _start(context: Context, claim: ClaimOwner) -> Context:
    """Record that a worker has taken the attempt."""
    context = change_attempt(context, worker=claim.worker, start_time=context.timestamp)
    context = context.change(start_time=context.status.start_time or context.timestamp)
    return context.event(STARTED, _runs_on(claim.worker, context.status.execution_attempts))


def _show_running(context: Context) -> Context:
    """Say that the attempt runs, and where: again in each pass, whatever stands there."""
    attempt, claim, worker = context.attempt, context.seen.claim, context.status.worker
    if attempt is None:
        return context
    if claim and (worker is None or worker.name != claim.worker):
        worker = WorkerStatus(name=claim.worker, node=claim.node, gpu=claim.gpu)
    message = _runs_on(attempt.worker, attempt.number)
    context = context.change(phase=Phase.RUNNING, message=message, worker=worker)
    context = context.end_condition(ConditionType.QUEUED, STARTED, message)
    return context.condition(ConditionType.RUNNING, STARTED, message)


def _runs_on(worker: str, number: int) -> str:
    return f"Attempt {number} runs on worker {worker}"


def _authorise(context: Context) -> Context:
    """Say again which attempt may run where Redis has forgotten it."""
    number = context.status.execution_attempts
    return context if context.seen.authorised == number else context.effect(AuthoriseAttempt(number))
