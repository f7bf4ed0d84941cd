"""`spec.suspend`: a job is held before its next attempt; one that runs stops and keeps its finished steps."""

from recon_api.reasons import SUSPENDED, Reason
from recon_api.status import ConditionType, Phase
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision


def suspension(situation: Situation) -> Reason | None:
    """Return the reason to stop, where the owner asks for it."""
    return SUSPENDED if situation.job.spec.suspend else None


def suspended_jobs_are_held(situation: Situation) -> Situation | Decision:
    """Hold a job before its next attempt."""
    if situation.attempt is not None or not situation.job.spec.suspend:
        return situation
    message, progress = _message(situation), situation.status.progress
    if situation.status.phase is not Phase.SUSPENDED:
        situation = situation.event(SUSPENDED, message)
    if progress:
        progress = progress.model_copy(update={"estimated_remaining_seconds": None})
    situation = situation.change(phase=Phase.SUSPENDED, message=message, queue=None, progress=progress)
    situation = situation.end_condition(ConditionType.QUEUED, SUSPENDED, message)
    return situation.condition(ConditionType.SUSPENDED, SUSPENDED, message).decide()


def _message(situation: Situation) -> str:
    kept = "; its finished steps are kept" if situation.status.start_time else ""
    return f"The job is held by spec.suspend{kept}"
