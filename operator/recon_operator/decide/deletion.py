"""`kubectl delete` of a job whose attempt may run: it is stopped first, and never waits for ever."""

from datetime import datetime

from recon_api.reasons import DELETED
from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision, ForgetJob, SetStopFlag, StopLater
from recon_operator.decide.stopping import has_stopped, keep_stopping
from recon_operator.decide.terminal_transitions import cancel, discard_files


def deleted_jobs_are_stopped(context: Context) -> Context | Decision:
    """Stop the attempt of a deleted job, then let the object go; without Redis, let it go after a while all the same."""
    deleted_at = context.job.metadata.deletion_timestamp
    if deleted_at is None:
        return context
    if _is_cleared_up(context):
        return _remove_finalizer(context)
    if not context.seen.known and _waited_s(context, deleted_at) >= context.limits.delete_force_s:
        return _remove_finalizer_unstopped(context)
    if context.attempt and context.status.phase is not Phase.CANCELLING:
        context = context.change(phase=Phase.CANCELLING, message=DELETED.meaning).event(DELETED, DELETED.meaning)
    return keep_stopping(context, SetStopFlag()).decide()


def _is_cleared_up(context: Context) -> bool:
    """Say whether nothing of the job runs, and what it left can be removed now; a job that was never sent left nothing."""
    never_sent = not context.status.execution_attempts
    return never_sent or (context.seen.known and has_stopped(context))


def _remove_finalizer(context: Context) -> Decision:
    if any(name != FINALIZER for name in context.job.metadata.finalizers):
        return cancel(context)  # somebody else still holds the object: it must not hold a worker as well
    if context.status.execution_attempts:
        context = discard_files(context.effect(ForgetJob()))
    return context.decide(finalizer=False)


def _remove_finalizer_unstopped(context: Context) -> Decision:
    context = context.effect(StopLater(context.job.spec.gpu_class))
    return context.look_again_in(context.limits.retry_redis_s).decide(finalizer=False)


def _waited_s(context: Context, since: datetime) -> float:
    return (context.now - since).total_seconds()
