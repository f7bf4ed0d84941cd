"""Attempts that were sent: unclaimed, running, or unknown because Redis does not answer."""

from recon_api.payload import ClaimOwner
from recon_api.reasons import DISPATCHED, NO_WORKERS, STARTED
from recon_api.status import Attempt, ConditionType, Phase, WorkerStatus
from recon_operator.decide.active_deadline import with_active_deadline
from recon_operator.decide.attempts import change_attempt, payload, sent
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AuthoriseAttempt, Decision, SendAttempt
from recon_operator.decide.pre_running_deadline import with_pre_running_deadline
from recon_operator.decide.progress import show_progress


def unknown_attempts_stay_as_they_are(situation: Situation) -> Situation | Decision:
    """Change nothing of an attempt while Redis does not answer."""
    if situation.attempt is None or situation.seen.known:
        return situation
    return situation.look_again_in(situation.limits.retry_redis_s).decide(finalizer=True)


def running_attempts_are_shown(situation: Situation) -> Situation | Decision:
    """Show the worker and the progress of an attempt whose lease lives, or lapsed too shortly to tell."""
    attempt, seen = situation.attempt, situation.seen
    if attempt is None:
        return situation
    if not attempt.worker:
        if seen.claim is None or not seen.leased:
            return situation
        situation = _start(situation, attempt, seen.claim)
    situation = _authorise(situation)
    delay_s = situation.limits.watch_interval_s if seen.leased else situation.limits.retry_redis_s
    return with_active_deadline(show_progress(situation)).look_again_in(delay_s).decide(finalizer=True)


def unclaimed_attempts_are_waited_for(situation: Situation) -> Situation | Decision:
    """Wait for a worker to take the message; send it again where it is known to be nowhere."""
    attempt, seen, limits = situation.attempt, situation.seen, situation.limits
    if attempt is None:
        return situation
    if seen.unsent or (seen.claim is None and seen.silent_s >= limits.lost_after_s):
        situation = situation.effect(SendAttempt(payload(situation), situation.job.spec.gpu_class))
    else:
        situation = _authorise(situation)
    reason, message = DISPATCHED, sent(attempt.number)
    if not seen.workers:
        gpu_class = situation.job.spec.gpu_class
        reason, message = NO_WORKERS, f"Attempt {attempt.number} waits for a worker of gpuClass {gpu_class}"
    situation = situation.condition(ConditionType.QUEUED, reason, message).change(message=message)
    return with_pre_running_deadline(situation).look_again_in(limits.retry_redis_s).decide(finalizer=True)


def _start(situation: Situation, attempt: Attempt, claim: ClaimOwner) -> Situation:
    """Note that a worker has taken the attempt."""
    worker = WorkerStatus(name=claim.worker, node=claim.node, gpu=claim.gpu)
    message = f"Attempt {attempt.number} runs on worker {worker.name}"
    situation = change_attempt(situation, worker=worker.name, start_time=situation.timestamp).change(
        phase=Phase.RUNNING,
        message=message,
        worker=worker,
        start_time=situation.status.start_time or situation.timestamp,
    )
    situation = situation.end_condition(ConditionType.QUEUED, STARTED, message)
    return situation.condition(ConditionType.RUNNING, STARTED, message).event(STARTED, message)


def _authorise(situation: Situation) -> Situation:
    """Say again which attempt may run where Redis has forgotten it."""
    number = situation.status.execution_attempts
    return situation if situation.seen.authorised == number else situation.effect(AuthoriseAttempt(number))
