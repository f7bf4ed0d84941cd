"""Attempts whose worker is gone."""

from recon_api.reasons import WORKER_LOST
from recon_operator.decide.backoff_limit import attempt_failed
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def is_lost(context: Context) -> bool:
    """Say whether the process that took the attempt is gone: restarted, or without a lease for too long."""
    seen, attempt = context.seen, context.attempt
    if attempt is None or not seen.known or seen.result is not None:
        return False
    if seen.owner_restarted:
        return True
    was_taken = seen.claim is not None or bool(attempt.worker)
    return was_taken and not seen.leased and seen.silent_s >= context.limits.lost_after_s


def lost_workers_lose_their_attempt(context: Context) -> Context | Decision:
    """End an attempt whose worker is gone; the job is tried again."""
    if not is_lost(context) or context.attempt is None:
        return context
    claim = context.seen.claim
    worker = claim.worker if claim else context.attempt.worker
    if context.seen.owner_restarted:
        message = f"worker {worker} restarted"
    else:
        message = f"no sign of worker {worker} for {context.limits.lost_after_s:.0f} s"
    return attempt_failed(context, WORKER_LOST, message)
