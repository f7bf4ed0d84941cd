"""`spec.suspend` of a job that no attempt of runs: it is held."""

from recon_api.reasons import SUSPENDED
from recon_api.status import ConditionType, Phase
from recon_operator.decide.decision import Decision
from recon_operator.decide.situation import Situation


def suspended_jobs_are_held(situation: Situation) -> Situation | Decision:
    """Hold a job before its next attempt."""
    if situation.attempt is not None or not situation.job.spec.suspend:
        return situation
    message = SUSPENDED.meaning
    if situation.status.phase is not Phase.SUSPENDED:
        situation = situation.event(SUSPENDED, message)
    situation = situation.change(phase=Phase.SUSPENDED, message=message, queue=None)
    situation = situation.end_condition(ConditionType.QUEUED, SUSPENDED, message)
    return situation.condition(ConditionType.SUSPENDED, SUSPENDED, message).decide()
