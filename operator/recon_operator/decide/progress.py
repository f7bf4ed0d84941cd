"""How far the running attempt is, written seldom enough for any number of jobs."""

from recon_api.payload import ProgressMeta
from recon_api.status import Progress
from recon_operator.decide.situation import Situation
from recon_operator.time_left import time_left_s


def show_progress(situation: Situation) -> Situation:
    """Copy the worker's latest report: at once when the step changes, else at most once in `progress_interval_s`."""
    meta, shown = situation.seen.progress, situation.status.progress
    if meta is None:
        return situation
    percentage = min(int(meta.progress), 99)  # 100 is the end's own
    if shown is not None and shown.step == meta.step.value:
        if percentage <= shown.percentage and meta.metrics == shown.metrics:
            return situation
        waited_s = (situation.now - shown.last_updated_time).total_seconds() if shown.last_updated_time else 0.0
        if waited_s < situation.limits.progress_interval_s:
            return situation.look_again_in(situation.limits.progress_interval_s - waited_s)
    return situation.change(
        progress=_progress(situation, meta, percentage), outputs=meta.outputs or situation.status.outputs
    )


def _progress(situation: Situation, meta: ProgressMeta, percentage: int) -> Progress:
    attempt = situation.attempt
    started = attempt.start_time if attempt else None
    return Progress(
        percentage=percentage,
        step=meta.step.value,
        estimated_remaining_seconds=time_left_s((situation.now - started).total_seconds(), meta.progress)
        if started
        else None,
        last_updated_time=situation.timestamp,
        metrics=meta.metrics,
    )
