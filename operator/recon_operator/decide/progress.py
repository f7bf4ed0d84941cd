"""How far the running attempt is and when it will be done, written seldom enough for any number of jobs."""

from datetime import datetime, timedelta

from recon_api.payload import ProgressMeta
from recon_api.status import Progress
from recon_operator.decide.attempts import change_attempt
from recon_operator.decide.context import Context
from recon_operator.decide.warnings import sentences
from recon_operator.estimates.remaining_time import Position, estimated_left_s, finish_to_show, pace_left_s

HIGHEST_PERCENTAGE = 99
"""Of a job that runs; 100 is the end's own."""


def show_progress(context: Context) -> Context:
    """Copy the worker's latest report, with the time left: at once when the step changes, else at most once in a while.

    Within a step nothing is written unless the percentage, a figure or the finish time has moved.
    """
    meta, shown = context.seen.progress, context.status.progress
    if meta is None:
        return context
    if context.attempt is not None and meta.log not in ("", context.attempt.log):
        context = change_attempt(context, log=meta.log)
    warnings = sentences(meta.warnings)
    percentage, finish = min(int(meta.progress), HIGHEST_PERCENTAGE), _finish(context, meta)
    if shown is not None and shown.step == meta.step.value:
        percentage = max(percentage, shown.percentage)
        known = (shown.percentage, shown.metrics, shown.photos, shown_finish(shown), context.status.warnings)
        if (percentage, meta.metrics, meta.photos, finish, warnings) == known:
            return context
        waited_s = (context.now - shown.last_updated_time).total_seconds() if shown.last_updated_time else 0.0
        if waited_s < context.limits.progress_interval_s:
            return context.look_again_in(context.limits.progress_interval_s - waited_s)
    progress = Progress(
        percentage=percentage,
        step=meta.step.value,
        estimated_remaining_seconds=_seconds_until(finish, context.timestamp),
        last_updated_time=context.timestamp,
        metrics=meta.metrics,
        photos=meta.photos,
    )
    return context.change(progress=progress, warnings=warnings)


def shown_finish(shown: Progress | None) -> datetime | None:
    """Return when the job will be done, as a status says it, if it does."""
    if shown is None or shown.last_updated_time is None or shown.estimated_remaining_seconds is None:
        return None
    return shown.last_updated_time + timedelta(seconds=shown.estimated_remaining_seconds)


def _finish(context: Context, meta: ProgressMeta) -> datetime | None:
    """Return when the attempt will be done; what is shown already, unless it has become wrong."""
    shown, left_s = shown_finish(context.status.progress), _left_s(context, meta)
    if left_s is None:
        return shown if shown and shown > context.now else None
    return finish_to_show(shown, left_s, context.now)


def _left_s(context: Context, meta: ProgressMeta) -> float | None:
    """Return the seconds left by what finished jobs like this one took; where there are none, by this one's own pace."""
    attempt, seen = context.attempt, context.seen
    if attempt is None or attempt.start_time is None:
        return None
    if seen.step_estimates is None:
        return pace_left_s((context.now - attempt.start_time).total_seconds(), meta.progress)
    span = meta.step.end_percentage - meta.step.start_percentage
    at = Position(
        step=meta.step,
        fraction=(meta.progress - meta.step.start_percentage) / span,
        step_elapsed_s=max(meta.step_elapsed_s, seen.step_durations.step_elapsed_s),
        finished_s=seen.step_durations.finished_s,
        resumed=attempt.number > 1,
    )
    return estimated_left_s(seen.step_estimates, at)


def _seconds_until(finish: datetime | None, timestamp: datetime) -> int | None:
    return None if finish is None else max(round((finish - timestamp).total_seconds()), 0)
