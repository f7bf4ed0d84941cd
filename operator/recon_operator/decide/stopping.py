"""Stopping an attempt, and knowing that it has stopped: shared by cancellation and deletion."""

from datetime import datetime

from recon_operator.decide.decision import AssertStop, KillAttempt
from recon_operator.decide.lost_workers import is_lost
from recon_operator.decide.situation import Situation


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
    return never_claimed and seen.stop_asserted


def keep_stopping(situation: Situation, since: datetime) -> Situation:
    """Return the situation in which the attempt is told to stop, and killed where it has not within the grace time."""
    limits = situation.limits
    if not situation.seen.known:
        return situation.look_again_in(limits.retry_redis_s)
    situation = situation.effect(AssertStop())
    if situation.seen.claim and (situation.now - since).total_seconds() >= limits.cancellation_grace_s:
        situation = situation.effect(KillAttempt(situation.status.execution_attempts))
    return situation.look_again_in(limits.stop_interval_s)
