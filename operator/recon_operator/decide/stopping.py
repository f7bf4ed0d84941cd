"""Stopping an open attempt, whoever asks for it, and knowing that it has stopped."""

from collections.abc import Callable

from recon_api.keys import NO_ATTEMPT
from recon_api.reasons import SUSPENDED, SUSPENDING, Reason
from recon_operator.decide.active_deadline import active_deadline_exceeded
from recon_operator.decide.attempts import change_attempt, end_attempt
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision, HoldAttempts, KillAttempt, SetStopFlag
from recon_operator.decide.lost_workers import is_lost
from recon_operator.decide.pre_running_deadline import pre_running_deadline_exceeded
from recon_operator.decide.suspension import suspension

ASKED_BY: tuple[Callable[[Context], Reason | None], ...] = (
    active_deadline_exceeded,
    pre_running_deadline_exceeded,
    suspension,
)
"""What stops an attempt so that its finished steps stay, in the order in which it gives the reason."""


def unwanted_attempts_are_stopped(context: Context) -> Context | Decision:
    """Stop an attempt that a deadline or a suspension ends; once ordered to, it does not go on, whatever is asked later."""
    attempt = context.attempt
    if attempt is None:
        return context
    ordered = attempt.stop_time is not None
    reason = _why(context) or (SUSPENDED if ordered else None)
    if reason is None or (is_lost(context) and not ordered):
        return context
    if has_stopped(context):
        return end_attempt(context, reason, reason.meaning)
    if not ordered:
        shown = SUSPENDING if reason is SUSPENDED else reason
        context = context.event(shown, shown.meaning).change(message=shown.meaning)
    return keep_stopping(context, HoldAttempts()).decide(finalizer=True)


def _why(context: Context) -> Reason | None:
    """Return the reason for which the open attempt must stop now."""
    reasons = (asked(context) for asked in ASKED_BY)
    return next((reason for reason in reasons if reason), None)


def has_stopped(context: Context) -> bool:
    """Say whether nothing of the job runs, or ever will.

    Of an attempt that nobody has claimed this is known once the order to stop was read before the claim: a worker
    claims first and then reads that order. A claim is missing, too, where Redis has lost it, while its owner is cut off
    from Redis and publishes: the message is then missing as well, and the attempt counts as a lost worker's.
    """
    seen, attempt = context.seen, context.attempt
    if attempt is None:
        return True
    if not seen.known:
        return False
    if seen.result is not None or is_lost(context):
        return True
    unclaimed = seen.claim is None and not seen.leased and not attempt.worker
    untaken = seen.unsent or seen.waits_in_queue or seen.silent_s >= context.limits.lost_after_s
    return unclaimed and untaken and (seen.stop_flag_set or seen.authorised == NO_ATTEMPT)


def keep_stopping(context: Context, order: SetStopFlag | HoldAttempts) -> Context:
    """Return the context in which the attempt is ordered to stop, and killed where it has not within the grace time."""
    limits, attempt = context.limits, context.attempt
    if not context.seen.known or attempt is None:
        return context.look_again_in(limits.retry_redis_s)
    ordered_at = attempt.stop_time or context.timestamp
    context = change_attempt(context, stop_time=ordered_at).effect(order)
    if context.seen.claim and (context.now - ordered_at).total_seconds() >= limits.cancellation_grace_s:
        context = context.effect(KillAttempt(context.status.execution_attempts))
    return context.look_again_in(limits.stop_interval_s)
