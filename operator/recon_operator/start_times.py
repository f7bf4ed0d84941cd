"""When waiting jobs are likely to start: each takes the worker that is free first. Pure: values in, values out."""

import heapq
from collections.abc import Sequence
from datetime import datetime, timedelta

from recon_api.resource import ReconstructionJob
from recon_api.steps import Step
from recon_operator.admission import EXACT_POSITIONS
from recon_operator.decide.progress import shown_finish
from recon_operator.step_times import ExpectedSteps
from recon_operator.time_left import UNSURE_SPREAD

KEPT_WAIT_SHARE, KEPT_WAIT_S = 0.2, 30.0
"""A start time that was told stays unless a new one differs by more than this share of the wait, and so many seconds.

Every change is a write of that job's status, and an early end of one job moves all that wait behind it.
"""


def start_times(workers: int, running_s: Sequence[float | None], queue_s: Sequence[float | None]) -> list[float | None]:
    """Return in how many seconds each job of a queue starts: `queue_s` is how long each will take, in its order.

    `running_s` is how long each running attempt still takes. Behind anything that is unknown (None), nothing is known.
    """
    starts: list[float | None] = [None] * len(queue_s)
    known_s = [left_s for left_s in running_s if left_s is not None]
    if not workers or len(known_s) < len(running_s):
        return starts
    free = heapq.nsmallest(workers, known_s + [0.0] * (workers - len(known_s)))
    for place, lasts_s in enumerate(queue_s):
        starts[place] = free[0]
        if lasts_s is None:
            break
        heapq.heapreplace(free, free[0] + lasts_s)
    return starts


def running_left_s(job: ReconstructionJob, expected: ExpectedSteps | None, now: datetime) -> float | None:
    """Return how many seconds a running attempt still takes, as its status says it, or else by finished jobs like it."""
    finish, started = shown_finish(job.status.progress), job.status.attempts[-1].start_time
    if finish is not None:
        return max((finish - now).total_seconds(), 0.0)
    if started is None or (lasts_s := waiting_lasts_s(job, expected)) is None:
        return None
    return max(lasts_s - max((now - started).total_seconds(), 0.0), 0.0)


def waiting_lasts_s(job: ReconstructionJob, expected: ExpectedSteps | None) -> float | None:
    """Return how many seconds a job will take once it runs, or nothing where finished jobs like it do not say it.

    A job that has run before goes on at the step that it had come to.
    """
    if expected is None or expected.common_spread > UNSURE_SPREAD:
        return None
    progress = job.status.progress
    reached = progress.step if progress else ""
    return expected.from_step_s(Step(reached) if reached in set(Step) else Step.LOADING)


def start_to_tell(
    told: datetime | None, start_s: float | None, now: datetime, position: int, *, moved: bool
) -> datetime | None:
    """Return the start time to tell: the one `told` so far, unless the job's position has `moved` or it is far off.

    A time that comes or goes is told at once to the first of a queue only; the others hear of it when they move.
    """
    start = None if start_s is None else now.replace(microsecond=0) + timedelta(seconds=round(start_s))
    if moved:
        return start
    if told is None or start is None:
        return start if position <= EXACT_POSITIONS else told
    off_s = abs((start - told).total_seconds())
    return start if off_s > max(KEPT_WAIT_S, KEPT_WAIT_SHARE * (start - now).total_seconds()) else told
