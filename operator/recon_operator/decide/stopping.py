"""Stopping an open attempt, whoever asks for it, and knowing that it has stopped."""

from collections.abc import Callable

from recon_api.keys import NO_ATTEMPT
from recon_api.reasons import SUSPENDED, SUSPENDING, Reason
from recon_operator.decide.active_deadline import active_deadline_exceeded
from recon_operator.decide.attempts import change_attempt, end_attempt
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AssertStop, Decision, HoldAttempts, KillAttempt
from recon_operator.decide.lost_workers import is_lost
from recon_operator.decide.pre_running_deadline import pre_running_deadline_exceeded
from recon_operator.decide.suspension import suspension

ASKED_BY: tuple[Callable[[Situation], Reason | None], ...] = (
    active_deadline_exceeded,
    pre_running_deadline_exceeded,
    suspension,
)
"""What stops an attempt so that its finished steps stay, in the order in which it gives the reason."""


def unwanted_attempts_are_stopped(situation: Situation) -> Situation | Decision:
    """Stop an attempt that a deadline or a suspension ends; once told to, it does not go on, whatever is asked later."""
    attempt = situation.attempt
    if attempt is None:
        return situation
    told = attempt.stop_time is not None
    reason = _why(situation) or (SUSPENDED if told else None)
    if reason is None or (is_lost(situation) and not told):
        return situation
    if has_stopped(situation):
        return end_attempt(situation, reason, reason.meaning)
    if not told:
        telling = SUSPENDING if reason is SUSPENDED else reason
        situation = situation.event(telling, telling.meaning).change(message=telling.meaning)
    return keep_stopping(situation, HoldAttempts()).decide(finalizer=True)


def _why(situation: Situation) -> Reason | None:
    """Return the reason for which the open attempt must stop now."""
    reasons = (asked(situation) for asked in ASKED_BY)
    return next((reason for reason in reasons if reason), None)


def has_stopped(situation: Situation) -> bool:
    """Say whether nothing of the job runs, or ever will.

    Of an attempt that nobody has claimed this is known once the order to stop was read before the claim: a worker
    claims first and then reads that order.
    """
    seen, attempt = situation.seen, situation.attempt
    if attempt is None:
        return True
    if not seen.known:
        return False
    if seen.result is not None or is_lost(situation):
        return True
    never_claimed = seen.claim is None and not seen.leased and not attempt.worker
    return never_claimed and (seen.stop_asserted or seen.authorised == NO_ATTEMPT)


def keep_stopping(situation: Situation, order: AssertStop | HoldAttempts) -> Situation:
    """Return the situation in which the attempt is told to stop, and killed where it has not within the grace time."""
    limits, attempt = situation.limits, situation.attempt
    if not situation.seen.known or attempt is None:
        return situation.look_again_in(limits.retry_redis_s)
    told_at = attempt.stop_time or situation.timestamp
    situation = change_attempt(situation, stop_time=told_at).effect(order)
    if situation.seen.claim and (situation.now - told_at).total_seconds() >= limits.cancellation_grace_s:
        situation = situation.effect(KillAttempt(situation.status.execution_attempts))
    return situation.look_again_in(limits.stop_interval_s)
