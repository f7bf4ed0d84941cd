"""Attempts whose worker is gone."""

from recon_api.reasons import WORKER_LOST
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.failures import attempt_failed


def is_lost(situation: Situation) -> bool:
    """Say whether the process that took the attempt is gone: restarted, or without a lease for too long."""
    seen, attempt = situation.seen, situation.attempt
    if attempt is None or not seen.known or seen.result is not None:
        return False
    if seen.owner_restarted:
        return True
    was_taken = seen.claim is not None or bool(attempt.worker)
    return was_taken and not seen.leased and seen.silent_s >= situation.limits.lost_after_s


def lost_workers_lose_their_attempt(situation: Situation) -> Situation | Decision:
    """End an attempt whose worker is gone; the job is tried again."""
    if not is_lost(situation) or situation.attempt is None:
        return situation
    claim = situation.seen.claim
    worker = claim.worker if claim else situation.attempt.worker
    if situation.seen.owner_restarted:
        message = f"worker {worker} restarted"
    else:
        message = f"no sign of worker {worker} for {situation.limits.lost_after_s:.0f} s"
    return attempt_failed(situation, WORKER_LOST, message)
