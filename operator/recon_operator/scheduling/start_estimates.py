"""When waiting jobs are likely to start: each takes the worker that is free first. Pure: values in, values out."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recon_api.resource import ReconstructionJob
from recon_api.steps import Step
from recon_operator.decide.progress import shown_finish
from recon_operator.estimates.step_estimates import StepEstimates
from recon_operator.scheduling.queue_order import EXACT_POSITIONS

KEPT_WAIT_SHARE, KEPT_WAIT_S = 0.2, 30.0
"""A start time that was reported stays unless a new one differs by more than this share of the wait, and so many seconds.

Every change is a write of that job's status, and an early end of one job moves all that wait behind it.
"""


MOST_SPREAD = 1.0
"""Standard deviation of a logarithm, a factor of 2.7, beyond which finished jobs say nothing of another one.

As far apart are two GPUs of different kinds: what only another one has run tells no start.
"""

RUNNING_SPREAD = 0.3
"""The same of the time left that a running job's status says (benchmarks/README.md)."""

REPORTED_SPREAD = 0.5
"""A start time is reported where its standard deviation is at most this share of the wait, or `KEPT_WAIT_S`."""


@dataclass(frozen=True)
class DurationEstimate:
    """How long something is likely to take."""

    seconds: float
    """The median."""
    spread: float
    """Standard deviation of the logarithm."""

    @property
    def mean_s(self) -> float:
        """The mean, which is longer than the median: of many, some take much longer."""
        return self.seconds * math.exp(self.spread**2 / 2.0)

    @property
    def variance_s2(self) -> float:
        """The variance, in square seconds."""
        return (self.mean_s * self.spread) ** 2


def start_times(
    workers: int, running: Sequence[DurationEstimate | None], queue: Sequence[DurationEstimate | None]
) -> list[float | None]:
    """Return in how many seconds each job of a queue starts, in its order, given how long everything takes.

    Behind anything that is unknown (None), nothing is known; nor is it where the times ahead are too unsure. What is
    unsure of single jobs evens out over many.
    """
    starts: list[float | None] = [None] * len(queue)
    known = [(left.mean_s, left.variance_s2) for left in running if left is not None]
    if not workers or len(known) < len(running):
        return starts
    free = heapq.nsmallest(workers, known + [(0.0, 0.0)] * (workers - len(known)))
    for place, job in enumerate(queue):
        start_s, variance_s2 = free[0]
        if math.sqrt(variance_s2) <= max(REPORTED_SPREAD * start_s, KEPT_WAIT_S):
            starts[place] = start_s
        if job is None:
            break
        heapq.heapreplace(free, (start_s + job.mean_s, variance_s2 + job.variance_s2))
    return starts


def estimate_remaining(
    job: ReconstructionJob, estimates: StepEstimates | None, now: datetime
) -> DurationEstimate | None:
    """Return how long a running attempt still takes, as its status says it, or else by finished jobs like it."""
    finish, started = shown_finish(job.status.progress), job.status.attempts[-1].start_time
    if finish is not None:
        return DurationEstimate(max((finish - now).total_seconds(), 0.0), RUNNING_SPREAD)
    if started is None or (whole := estimate_whole(job, estimates)) is None:
        return None
    return DurationEstimate(max(whole.seconds - max((now - started).total_seconds(), 0.0), 0.0), whole.spread)


def estimate_whole(job: ReconstructionJob, estimates: StepEstimates | None) -> DurationEstimate | None:
    """Return how long a job will take once it runs, or nothing where finished jobs do not say it.

    A job that has run before goes on at the step that it had come to.
    """
    if estimates is None or estimates.common_spread > MOST_SPREAD:
        return None
    progress = job.status.progress
    reached = progress.step if progress else ""
    step = Step(reached) if reached in set(Step) else Step.LOADING
    return DurationEstimate(estimates.from_step_s(step), estimates.common_spread)


def start_to_report(
    reported: datetime | None, start: datetime | None, now: datetime, position: int, *, moved: bool
) -> datetime | None:
    """Return the start time to report: the one `reported` so far, unless the job's position has `moved` or it is far off.

    A time that becomes known is reported at once for the first of a queue only, for the others when they move.
    One that is no longer known stays until it has passed.
    """
    if moved:
        return start
    if reported is None:
        return start if position <= EXACT_POSITIONS else None
    if start is None:
        return reported if reported > now else None
    off_s = abs((start - reported).total_seconds())
    return start if off_s > max(KEPT_WAIT_S, KEPT_WAIT_SHARE * (start - now).total_seconds()) else reported
