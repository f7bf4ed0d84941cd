"""`kubectl delete` of a job whose attempt may run: it is stopped first, and never waits for ever."""

from datetime import datetime

from recon_api.reasons import DELETED
from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AssertStop, Decision, ForgetJob, StopLater
from recon_operator.decide.stopping import has_stopped, keep_stopping
from recon_operator.decide.terminal_transitions import cancel, discard_files


def deleted_jobs_are_stopped(situation: Situation) -> Situation | Decision:
    """Stop the attempt of a deleted job, then let the object go; without Redis, let it go after a while all the same."""
    deleted_at = situation.job.metadata.deletion_timestamp
    if deleted_at is None:
        return situation
    if _is_cleared_up(situation):
        return _let_go(situation)
    if not situation.seen.known and _waited_s(situation, deleted_at) >= situation.limits.delete_force_s:
        return _let_go_unstopped(situation)
    if situation.attempt and situation.status.phase is not Phase.CANCELLING:
        situation = situation.change(phase=Phase.CANCELLING, message=DELETED.meaning).event(DELETED, DELETED.meaning)
    return keep_stopping(situation, AssertStop()).decide()


def _is_cleared_up(situation: Situation) -> bool:
    """Say whether nothing of the job runs, and what it left can be removed now; a job that was never sent left nothing."""
    never_sent = not situation.status.execution_attempts
    return never_sent or (situation.seen.known and has_stopped(situation))


def _let_go(situation: Situation) -> Decision:
    if any(name != FINALIZER for name in situation.job.metadata.finalizers):
        return cancel(situation)  # somebody else still holds the object: it must not hold a worker as well
    if situation.status.execution_attempts:
        situation = discard_files(situation.effect(ForgetJob()))
    return situation.decide(finalizer=False)


def _let_go_unstopped(situation: Situation) -> Decision:
    situation = situation.effect(StopLater(situation.job.spec.gpu_class))
    return situation.look_again_in(situation.limits.retry_redis_s).decide(finalizer=False)


def _waited_s(situation: Situation, since: datetime) -> float:
    return (situation.now - since).total_seconds()
