"""`spec.failurePolicy`: what a failure leads to. The first rule that matches wins, and behind them all stand ours."""

from functools import lru_cache
from typing import NamedTuple

import re2

from recon_api.reasons import Blame, Reason
from recon_api.spec import FailureAction, FailurePolicy, FailureRule

BUILT_IN = {
    Blame.USER: FailureAction.FAIL_JOB,
    Blame.INFRASTRUCTURE: FailureAction.IGNORE,
    Blame.JOB: FailureAction.COUNT,
    Blame.NOBODY: FailureAction.IGNORE,
}
"""What happens where no rule matches, by whose move it is."""


class Verdict(NamedTuple):
    """What a failure leads to, and by which of the job's rules (the first is 1; none where it is ours)."""

    action: FailureAction
    rule: int | None = None


def verdict(policy: FailurePolicy, reason: Reason, message: str) -> Verdict:
    """Return what a failure for this reason, with this message, leads to."""
    for number, rule in enumerate(policy.rules, start=1):
        if _matches(rule, reason, message):
            return Verdict(rule.action, number)
    return Verdict(BUILT_IN[reason.blame])


def _matches(rule: FailureRule, reason: Reason, message: str) -> bool:
    by_reason = not rule.on_reasons or reason.name in rule.on_reasons
    by_message = not rule.on_message_patterns or any(_found(p, message) for p in rule.on_message_patterns)
    return by_reason and by_message


def _found(pattern: str, message: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is not None and compiled.search(message) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "re2._Regexp | None":
    """Return a pattern ready for use; one that is too large for RE2 matches nothing.

    RE2 needs time in proportion to the message, whatever the pattern: none can hold the operator up.
    """
    try:
        return re2.compile(pattern)
    except re2.error:
        return None
