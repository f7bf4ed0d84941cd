"""`kubectl delete` of a job whose attempt may run: it is stopped first, and never waits for ever."""

from datetime import datetime

from recon_api.reasons import DELETED
from recon_api.status import Phase
from recon_operator.decide.decision import AssertStop, Decision, DiscardFiles, ForgetJob
from recon_operator.decide.situation import Situation
from recon_operator.decide.stopping import has_stopped, keep_stopping


def deleted_jobs_are_stopped(situation: Situation) -> Situation | Decision:
    """Stop the attempt of a deleted job, then let the object go; without Redis, let it go after a while all the same."""
    deleted_at = situation.job.metadata.deletion_timestamp
    if deleted_at is None:
        return situation
    if has_stopped(situation) and _nothing_stays(situation):
        return _let_go(situation)
    if not situation.seen.known and _waited_s(situation, deleted_at) >= situation.limits.delete_force_s:
        return _let_go(situation)
    if situation.attempt is not None and situation.status.phase is not Phase.CANCELLING:
        situation = situation.change(phase=Phase.CANCELLING, message=DELETED.meaning).event(DELETED, DELETED.meaning)
    return keep_stopping(situation, AssertStop()).decide()


def _nothing_stays(situation: Situation) -> bool:
    """Say whether what the job has left behind, in Redis and in the storage, can go with it now."""
    return situation.seen.known or not situation.status.execution_attempts


def _let_go(situation: Situation) -> Decision:
    if situation.seen.known and situation.status.execution_attempts:
        situation = situation.effect(ForgetJob(), DiscardFiles(situation.job.spec.gpu_class))
    return situation.decide(finalizer=False)


def _waited_s(situation: Situation, since: datetime) -> float:
    return (situation.now - since).total_seconds()
