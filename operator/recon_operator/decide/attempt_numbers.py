"""No number of an attempt is handed out twice, also where the resource is older than what Redis knows: after a restore.

While the API server keeps the resource, its own rules hold this (`recon_api.rules.ATTEMPT_NUMBER_STAYS`).
"""

from recon_api.reasons import STATUS_CORRECTED, SUPERSEDED
from recon_api.status import MAX_ATTEMPTS, Phase
from recon_operator.decide.attempts import begin_attempt, end_attempt, sent
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision


def numbers_handed_out_stay_so(situation: Situation) -> Situation | Decision:
    """Go on from the attempt that Redis has authorised, where the status knows only earlier ones."""
    seen, known = situation.observation, situation.status.execution_attempts
    number = seen.authorised if seen.known and seen.authorised else 0
    if not known < number <= MAX_ATTEMPTS:
        return situation
    situation = begin_attempt(end_attempt(situation, SUPERSEDED, SUPERSEDED.meaning), number)
    situation = situation.change(phase=Phase.QUEUED, message=sent(number))
    message = f"The status knew of attempt {known}, and attempt {number} was sent; the job goes on from there"
    situation = situation.event(STATUS_CORRECTED, message, warning=True)
    # What Redis says of that attempt was not read: whether it runs will be known in the next pass.
    deleted = situation.job.metadata.deletion_timestamp is not None
    return situation.look_again_in(0.0).decide(finalizer=None if deleted else True)
