"""How long each step of a job is likely to take, from the finished runs of its model at its quality. Pure.

A step's time is the weighted median of what it took before, brought to the job's number of photos by a power of that
number. The power is the median slope between pairs of runs on a logarithmic scale (Theil 1950, Sen 1968): an outlier,
such as a run on a cold worker, moves neither.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from recon_api.payload import FinishedRun
from recon_api.steps import Step

STEPS = tuple(Step)

USUAL_GROWTH: Mapping[Step, float] = {
    Step.LOADING: 1.0,
    Step.PREPROCESSING: 1.0,
    Step.RECONSTRUCTION: 1.0,
    Step.POST_PROCESSING: 0.5,
    Step.PREVIEWS: 0.0,
    Step.FINALIZING: 0.0,
}
"""Power of the number of photos by which a step grows, until runs of different numbers say it better.

`multiview` measured: 0.8, 1.3, 0.7 and 0.0 from preprocessing to previews (10 to 44 photos, quality draft).
"""

GROWTH_PAIRS = 3
"""How many pairs of runs the usual growth counts for."""

STEEPEST_GROWTH = 2.0
"""Matching every photo with every other one; nothing that is done grows faster."""

GROWTH_RUNS = 40
"""The newest runs, from whose pairs the growth is found: 780 pairs take 3 ms for all steps."""

LEAST_RATIO = math.log(1.2)
"""Runs whose numbers of photos are nearer to each other say nothing of the growth."""

NEAR_PHOTOS = 0.5
"""Half-width, in the logarithm of the number of photos, within which a run counts fully."""

FADING = 0.98
"""Weight of each run relative to the next newer one: after 34 runs it is a half."""

OTHER_GPU = 0.01
"""Weight of a run on another GPU: it counts only where there are hardly any on the same."""

INSTANT_S = 0.05
"""Added to all times in logarithms, so that a step of no time has one."""

USUAL_COMMON_SPREAD, USUAL_STEP_SPREAD, USUAL_PHOTOS_SPREAD = 0.3, 0.25, 1.0
"""Standard deviations of logarithms, of whole runs, of single steps and of the number of photos, until runs say it better."""

SPREAD_RUNS = 2.0
"""How many runs the usual spreads count for."""

FOREIGN_SPREAD = 1.0
"""Further spread of a whole run where no run was on the same GPU: between a CPU and a GPU lies a factor of ten."""

EXTRAPOLATION_SPREAD = 0.3
"""Further spread of a whole run for each factor of e between its number of photos and the nearest one known."""

LONGEST_S = 1e7
"""No time is taken for longer than this, four months, whatever a status says."""

MOST_PHOTOS = 1_000_000
"""No number of photos is taken for larger, whatever a worker says."""


@dataclass(frozen=True)
class ExpectedSteps:
    """How long the steps of one job are likely to take, and how far that may be wrong."""

    seconds: Mapping[Step, float]
    common_spread: float
    """Standard deviation of the logarithm of the factor by which a whole run is slower than expected."""
    step_spread: float
    """The same of a single step, beside what its whole run has in common."""

    def from_step_s(self, step: Step) -> float:
        """Return the seconds from the beginning of a step to the end of the job."""
        return sum(self.seconds[later] for later in STEPS[STEPS.index(step) :])


def expected_steps(runs: Sequence[FinishedRun], photos: int | None, gpu: str) -> ExpectedSteps | None:
    """Return what the runs, the newest first, say of a job of so many photos on a GPU; nothing where there are none.

    Where the number of photos is not known yet, it is taken to be the usual one.
    """
    timed = [_Timed.of(run) for run in runs if run.steps]
    if not timed:
        return None
    number, unsure = _photos(timed, photos)
    near = [math.log(number / run.photos) if run.photos else 0.0 for run in timed]
    weights = _weights(timed, near, gpu)
    growth = {step: _growth(timed, step) for step in STEPS}
    scaled = [
        {step: math.log(run.seconds[step] + INSTANT_S) + growth[step] * distance for step in STEPS}
        for run, distance in zip(timed, near, strict=True)
    ]
    seconds = {step: _seconds(_weighted_median([times[step] for times in scaled], weights)) for step in STEPS}
    common, single = _spreads(scaled, seconds)
    foreign = bool(gpu) and all(run.gpu != gpu for run in timed)
    far = min(abs(distance) for distance in near)
    further = (FOREIGN_SPREAD * foreign, EXTRAPOLATION_SPREAD * far, unsure)
    return ExpectedSteps(seconds, math.hypot(common, *further), single)


@dataclass(frozen=True)
class _Timed:
    """A run with every step, in numbers that are no nonsense."""

    photos: int | None
    gpu: str
    seconds: Mapping[Step, float]

    @classmethod
    def of(cls, run: FinishedRun) -> "_Timed":
        took = {step.name: min(step.seconds, LONGEST_S) for step in run.steps}
        photos = min(run.photos, MOST_PHOTOS) if run.photos and run.photos > 0 else None
        return cls(photos, run.gpu, {step: took.get(step.value, 0.0) for step in STEPS})


def _photos(runs: Sequence[_Timed], photos: int | None) -> tuple[float, float]:
    """Return the number of photos to reckon with, and the standard deviation of its logarithm."""
    known = [math.log(run.photos) for run in runs if run.photos]
    if photos and photos > 0:
        return min(photos, MOST_PHOTOS), 0.0
    if not known:
        return 1.0, 0.0
    middle = median(known)
    return math.exp(middle), _spread(USUAL_PHOTOS_SPREAD, [value - middle for value in known])


def _weights(runs: Sequence[_Timed], near: Sequence[float], gpu: str) -> list[float]:
    """Return how much each run counts: most, where it is recent, of nearly as many photos and on the same GPU.

    The nearest run counts fully however far it is.
    """
    closest = min(distance**2 for distance in near)
    return [
        math.exp((closest - distance**2) / (2 * NEAR_PHOTOS**2))
        * FADING**age
        * (OTHER_GPU if gpu and run.gpu != gpu else 1.0)
        for age, (run, distance) in enumerate(zip(runs, near, strict=True))
    ]


def _growth(runs: Sequence[_Timed], step: Step) -> float:
    """Return the power of the number of photos by which a step's time grows."""
    points = [
        (run.gpu, math.log(run.photos), math.log(run.seconds[step] + INSTANT_S))
        for run in runs[:GROWTH_RUNS]
        if run.photos
    ]
    slopes = [
        (later - time) / (more - photos)
        for (gpu, photos, time), (other, more, later) in combinations(points, 2)
        if gpu == other and abs(more - photos) >= LEAST_RATIO
    ]
    return min(max(median(slopes + GROWTH_PAIRS * [USUAL_GROWTH[step]]), 0.0), STEEPEST_GROWTH)


def _weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    """Return the value with half of the weight below it, interpolated between the middles of two neighbours' weights."""
    half, passed = sum(weights) / 2, 0.0
    below: tuple[float, float] | None = None
    for value, weight in sorted(zip(values, weights, strict=True)):
        middle = passed + weight / 2
        if middle >= half:
            if below is None:
                return value
            share = (half - below[1]) / (middle - below[1])
            return below[0] + share * (value - below[0])
        below, passed = (value, middle), passed + weight
    return max(values)


def _seconds(log_time: float) -> float:
    return min(max(math.exp(min(log_time, math.log(LONGEST_S))) - INSTANT_S, 0.0), LONGEST_S)


def _spreads(scaled: Sequence[Mapping[Step, float]], seconds: Mapping[Step, float]) -> tuple[float, float]:
    """Return by how much runs differed from what is expected: as a whole, and in single steps beside that."""
    total = sum(seconds.values()) + INSTANT_S * len(STEPS)
    parts = {step: (took + INSTANT_S) / total for step, took in seconds.items()}
    common, single = [], []
    for times in scaled:
        whole = math.log(sum(math.exp(min(time, 700.0)) for time in times.values()) / total)
        rest = {step: times[step] - math.log(seconds[step] + INSTANT_S) - whole for step in STEPS}
        common.append(whole)
        single.append(math.sqrt(sum(parts[step] * rest[step] ** 2 for step in STEPS)))
    return _spread(USUAL_COMMON_SPREAD, common), _spread(USUAL_STEP_SPREAD, single)


def _spread(usual: float, deviations: Sequence[float]) -> float:
    """Return the standard deviation, in which what is usual counts for a few runs."""
    squares = SPREAD_RUNS * usual**2 + sum(deviation**2 for deviation in deviations)
    return math.sqrt(squares / (SPREAD_RUNS + len(deviations)))
