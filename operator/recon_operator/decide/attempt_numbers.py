"""No number of an attempt is handed out twice, also where the resource is older than what Redis knows: after a restore.

While the API server keeps the resource, its own rules hold this (`recon_api.rules.ATTEMPT_NUMBER_STAYS`).
"""

from recon_api.reasons import STATUS_CORRECTED, SUPERSEDED
from recon_api.status import MAX_ATTEMPTS, Phase
from recon_operator.decide.attempts import begin_attempt, end_attempt, unclaimed
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def numbers_handed_out_stay_so(context: Context) -> Context | Decision:
    """Go on from the attempt that Redis has authorised, where the status knows only earlier ones."""
    seen, known = context.observation, context.status.execution_attempts
    number = seen.authorised if seen.known and seen.authorised else 0
    if not known < number <= MAX_ATTEMPTS:
        return context
    context = begin_attempt(end_attempt(context, SUPERSEDED, SUPERSEDED.meaning), number)
    context = context.change(phase=Phase.QUEUED, message=unclaimed(number))
    message = f"The status knew of attempt {known}, and attempt {number} was sent; the job goes on from there"
    context = context.event(STATUS_CORRECTED, message, warning=True)
    # What Redis says of that attempt was not read: whether it runs will be known in the next pass.
    deleted = context.job.metadata.deletion_timestamp is not None
    return context.look_again_in(0.0).decide(finalizer=None if deleted else True)
