"""`spec.suspend`, and a job that a backup has restored: it is held before its next attempt.

One that runs and is suspended stops and keeps its finished steps.
"""

from recon_api.reasons import RESTORED, SUSPENDED, Reason
from recon_api.resource import RESTORED_ANNOTATION, RestoredJobs
from recon_api.status import ConditionType, Phase
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def suspension(context: Context) -> Reason | None:
    """Return the reason to stop, where the owner asks for it."""
    return SUSPENDED if context.job.spec.suspend else None


def suspended_jobs_are_held(context: Context) -> Context | Decision:
    """Hold a job before its next attempt."""
    if context.attempt is not None or not context.job.spec.suspend:
        return context
    return _hold(context, SUSPENDED, _message(context))


def restored_jobs_are_held(context: Context) -> Context | Decision:
    """Hold a job that may have finished before the backup was made, until somebody says that it is to run."""
    return _hold(context, RESTORED, WAS_RESTORED) if context.job.is_held_as_restored else context


WAS_RESTORED = (
    "The job was restored from a backup without its status and may have finished before; to run it again, set its "
    f"annotation {RESTORED_ANNOTATION} to {RestoredJobs.RUN}, otherwise delete it"
)


def _hold(context: Context, reason: Reason, message: str) -> Decision:
    progress = context.status.progress
    if context.status.phase is not Phase.SUSPENDED:
        context = context.event(reason, message)
    if progress:
        progress = progress.model_copy(update={"estimated_remaining_seconds": None})
    context = context.change(phase=Phase.SUSPENDED, message=message, queue=None, progress=progress)
    context = context.end_condition(ConditionType.QUEUED, reason, message)
    return context.condition(ConditionType.SUSPENDED, reason, message).decide()


def _message(context: Context) -> str:
    kept = "; its finished steps are kept" if context.status.start_time else ""
    return f"The job is held by spec.suspend{kept}"
