"""What a failed attempt leads to (`spec.backoffLimit`): the end of the job, or another attempt."""

from typing import assert_never

from recon_api.reasons import BACKOFF_LIMIT_EXCEEDED, IGNORED_LIMIT_EXCEEDED, Reason
from recon_api.spec import FailureAction
from recon_api.status import MAX_ATTEMPTS
from recon_operator.decide.attempts import end_attempt
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.failure_policy import Verdict, verdict
from recon_operator.decide.terminal_transitions import fail


def attempt_failed(context: Context, reason: Reason, message: str) -> Context | Decision:
    """End the attempt; then end the job, or go on to the policies that queue it again.

    What counts ends the job once there is more of it than `backoffLimit`, what is ignored after `ignored_attempts`.
    """
    number = context.status.execution_attempts
    found = verdict(context.job.spec.failure_policy, reason, message)
    ended = end_attempt(context, reason, message)
    story = f"{reason.name}: {message}{_by_rule(found)}"
    match found.action:
        case FailureAction.FAIL_JOB:
            return fail(ended, reason, f"{message}{_by_rule(found)}")
        case FailureAction.COUNT:
            ended = ended.change(failed_attempts=min(ended.status.failed_attempts + 1, MAX_ATTEMPTS))
            if ended.status.failed_attempts > context.job.spec.backoff_limit:
                return fail(ended, BACKOFF_LIMIT_EXCEEDED, f"attempt {number} was the last; {story}")
        case FailureAction.IGNORE:
            ended = ended.change(ignored_attempts=min(ended.status.ignored_attempts + 1, MAX_ATTEMPTS))
            if ended.status.ignored_attempts > context.limits.ignored_attempts:
                return fail(ended, IGNORED_LIMIT_EXCEEDED, f"attempt {number} was the last; {story}")
        case _:
            assert_never(found.action)
    return ended.event(reason, f"attempt {number}: {message}{_by_rule(found)}", warning=True)


def _by_rule(found: Verdict) -> str:
    return f" ({found.action} by rule {found.rule} of spec.failurePolicy)" if found.rule else ""
