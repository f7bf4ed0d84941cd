"""Times that lie ahead: the clock that wrote them has been set back since, or is a worker's that runs fast.

Left there, a backoff, an expiry or the next write of progress would wait until the clock has come so far again.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from recon_api.payload import AttemptResult
from recon_api.spec import MAX_SECONDS
from recon_api.status import Attempt, CancellationStatus, ReconstructionJobStatus
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision

Past = Callable[[datetime | None], datetime | None]


def times_that_lie_ahead_are_now(context: Context) -> Context | Decision:
    """Take what lies ahead for now, in the status and in what a worker tells of its attempt."""
    status, seen = without_times_ahead(context.status, context.now), context.observation
    if seen.result:
        seen = replace(seen, result=in_order(seen.result, status, context.now))
    return replace(context, observation=seen, status=status)


def without_times_ahead(status: ReconstructionJobStatus, now: datetime) -> ReconstructionJobStatus:
    """Return the status in which what lies ahead has happened now, and expires as long after it as before."""

    def past(at: datetime | None) -> datetime | None:
        return now.replace(microsecond=0) if at is not None and at > now else at

    progress, noted = status.progress, status.cancellation
    if progress:
        progress = progress.model_copy(update={"last_updated_time": past(progress.last_updated_time)})
    conditions = (
        each.model_copy(update={"last_transition_time": past(each.last_transition_time)}) for each in status.conditions
    )
    return status.model_copy(
        update={
            "start_time": past(status.start_time),
            "attempts": tuple(_attempt(attempt, past) for attempt in status.attempts),
            "conditions": tuple(conditions),
            "progress": progress,
            "cancellation": noted and _cancellation(noted, past),
        }
    )


def in_order(result: AttemptResult, status: ReconstructionJobStatus, now: datetime) -> AttemptResult:
    """Return a result whose times are of our clock, and as far apart as the attempt ran.

    The worker's clock may be wrong, so only how long it ran is believed. Where nobody saw it start, the end is as the worker
    says, as far as that can be true; an older worker that does not say how long it ran has ended now.
    """
    attempt = status.attempts[-1] if status.attempts else None
    seen_start = attempt.start_time if attempt else None
    if seen_start:
        started, finished = seen_start, now
        if result.ran_s is not None:
            finished = started + min(_span(result.ran_s), max(now - started, timedelta()))
    elif result.ran_s is not None:
        earliest = min(_last_change(status, now), now)
        ran = min(_span(result.ran_s), now - earliest)
        finished = min(max(result.finished_at or now, earliest + ran), now)
        started = finished - ran
    else:
        return _told_in_order(result, status, now)
    return result.model_copy(update={"started_at": started, "finished_at": finished})


def _told_in_order(result: AttemptResult, status: ReconstructionJobStatus, now: datetime) -> AttemptResult:
    """Return the worker's own two times, neither ahead nor before the job's start."""
    started = result.started_at and min(result.started_at, now)
    finished = result.finished_at and min(max(at for at in (result.finished_at, started, status.start_time) if at), now)
    return result.model_copy(update={"started_at": started, "finished_at": finished})


def _last_change(status: ReconstructionJobStatus, now: datetime) -> datetime:
    """Return the latest time that we have written: an attempt that nobody saw start began after it."""
    times = [condition.last_transition_time for condition in status.conditions]
    times += [at for attempt in status.attempts for at in (attempt.start_time, attempt.end_time) if at]
    return max(times, default=now)


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, MAX_SECONDS))


def _attempt(attempt: Attempt, past: Past) -> Attempt:
    return attempt.model_copy(
        update={
            "start_time": past(attempt.start_time),
            "stop_time": past(attempt.stop_time),
            "end_time": past(attempt.end_time),
        }
    )


def _cancellation(noted: CancellationStatus, past: Past) -> CancellationStatus:
    requested, expires = noted.requested_at, noted.expires_at
    moved = past(requested)
    if requested and expires and moved and moved != requested:
        expires = moved + max(expires - requested, timedelta())
    return noted.model_copy(
        update={"requested_at": moved, "expires_at": expires, "confirmed_at": past(noted.confirmed_at)}
    )
