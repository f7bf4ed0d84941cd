"""`spec.suspend`: a job is held before its next attempt; one that runs stops and keeps its finished steps."""

from recon_api.reasons import SUSPENDED, Reason
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
    message, progress = _message(context), context.status.progress
    if context.status.phase is not Phase.SUSPENDED:
        context = context.event(SUSPENDED, message)
    if progress:
        progress = progress.model_copy(update={"estimated_remaining_seconds": None})
    context = context.change(phase=Phase.SUSPENDED, message=message, queue=None, progress=progress)
    context = context.end_condition(ConditionType.QUEUED, SUSPENDED, message)
    return context.condition(ConditionType.SUSPENDED, SUSPENDED, message).decide()


def _message(context: Context) -> str:
    kept = "; its finished steps are kept" if context.status.start_time else ""
    return f"The job is held by spec.suspend{kept}"
