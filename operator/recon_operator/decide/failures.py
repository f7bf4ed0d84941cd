"""What a failed attempt leads to, by whose move it is: the end of the job, or another attempt."""

from recon_api.reasons import BACKOFF_LIMIT_EXCEEDED, Blame, Reason
from recon_operator.decide.attempts import end_attempt, failures, whole_second
from recon_operator.decide.decision import Decision
from recon_operator.decide.ending import fail
from recon_operator.decide.situation import Situation


def attempt_failed(situation: Situation, reason: Reason, message: str) -> Situation | Decision:
    """End the attempt; then end the job, or go on to the policies that queue it again.

    The user's mistakes end it at once, the job's own failures once there are more than `backoffLimit`, and what the
    cluster loses after `infrastructure_retries`.
    """
    result = situation.seen.result
    number = situation.status.execution_attempts
    ended = end_attempt(situation, reason, message, whole_second(result.finished_at) if result else None)
    if reason.blame is Blame.USER:
        return fail(ended, reason, message)
    if reason.blame is Blame.JOB:
        limit = situation.job.spec.backoff_limit
        if failures(ended.status, Blame.JOB) > limit:
            return fail(ended, BACKOFF_LIMIT_EXCEEDED, f"attempt {number} was the last; {reason.name}: {message}")
    elif failures(ended.status, reason.blame) > situation.limits.infrastructure_retries:
        return fail(ended, reason, f"attempt {number} was the last; {message}")
    return ended.event(reason, f"attempt {number}: {message}", warning=True)
