"""Attempts that were sent: unclaimed, running, or unknown because Redis does not answer."""

from recon_api.payload import ClaimOwner
from recon_api.reasons import DISPATCHED, NO_WORKERS, STARTED
from recon_api.status import ConditionType, Phase, WorkerStatus
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
        situation = _start(situation, seen.claim)
    situation = _authorise(_show_running(situation))
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
    situation = situation.condition(ConditionType.QUEUED, reason, message).change(phase=Phase.QUEUED, message=message)
    return with_pre_running_deadline(situation).look_again_in(limits.retry_redis_s).decide(finalizer=True)


def _start(situation: Situation, claim: ClaimOwner) -> Situation:
    """Note that a worker has taken the attempt."""
    situation = change_attempt(situation, worker=claim.worker, start_time=situation.timestamp)
    situation = situation.change(start_time=situation.status.start_time or situation.timestamp)
    return situation.event(STARTED, _runs_on(claim.worker, situation.status.execution_attempts))


def _show_running(situation: Situation) -> Situation:
    """Say that the attempt runs, and where: again in each pass, whatever stands there."""
    attempt, claim, worker = situation.attempt, situation.seen.claim, situation.status.worker
    if attempt is None:
        return situation
    if claim and (worker is None or worker.name != claim.worker):
        worker = WorkerStatus(name=claim.worker, node=claim.node, gpu=claim.gpu)
    message = _runs_on(attempt.worker, attempt.number)
    situation = situation.change(phase=Phase.RUNNING, message=message, worker=worker)
    situation = situation.end_condition(ConditionType.QUEUED, STARTED, message)
    return situation.condition(ConditionType.RUNNING, STARTED, message)


def _runs_on(worker: str, number: int) -> str:
    return f"Attempt {number} runs on worker {worker}"


def _authorise(situation: Situation) -> Situation:
    """Say again which attempt may run where Redis has forgotten it."""
    number = situation.status.execution_attempts
    return situation if situation.seen.authorised == number else situation.effect(AuthoriseAttempt(number))
