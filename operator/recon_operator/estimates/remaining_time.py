"""How long a running attempt still takes: from what its steps took before and how it does so far. Pure.

Each estimate of a step is taken for log-normal. One factor, that the whole run is slower or faster than estimated,
is learned from the steps that this attempt has finished, by the update of a one-dimensional Kalman filter. The step that
runs is pulled towards its own pace, and by the time that it has taken already: what is shown is the median of all ends
that are still possible, so it is never below zero, and a step that takes too long is given a little more at a time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import NormalDist

from recon_api.steps import Step
from recon_operator.estimates.step_estimates import INSTANT_S, LONGEST_S, STEPS, StepEstimates

SHORTEST_BASIS_S = 3.0
"""Less running time than this says nothing about the rest."""

SMALLEST_BASIS_PERCENT = 5.0
"""Less progress than this says nothing about the rest."""

CLOCK_ERROR_S = 0.2
"""By how much the measured time of a finished step may be wrong: reports come every 0.2 s."""

PACE_SPREAD = 1.2
"""Standard deviation of the logarithm of a step's time as its percentage tells it, when it begins; none at its end.

`multiview` says 13 % when three quarters of "Running reconstruction" have passed: a factor of six.
"""

SURE_SPREAD = 0.1
"""A step's pace is never taken for surer than this."""

LEAST_FRACTION = 0.005
"""Less of a step than this says nothing of its pace."""

FAR_TAIL = 30.0
"""Standard deviations beyond which a step that takes too long is reckoned as if it were there."""

UNSURE_SPREAD = 0.5
"""Standard deviation of the logarithm of a run's factor, a factor of 1.6, beyond which it is too early to say."""

KEPT_SHARE, KEPT_S = 0.1, 1.0
"""A finish time that was shown stays while a new one differs from it by less than this share of the time left, or so
many seconds. In replayed runs that gave 2.3 changes a run, against 8.1 without it, for an error of 9 % against 8 %."""

STANDARD = NormalDist()


@dataclass(frozen=True)
class Position:
    """Where a running attempt is."""

    step: Step
    fraction: float
    """How much of the step is done, 0 to 1."""
    step_elapsed_s: float
    """For how long it has been at the step."""
    finished_s: Mapping[Step, float] = field(default_factory=dict)
    """How long the earlier steps took in this attempt, as far as that is known."""
    resumed: bool = False
    """Whether finished steps of an earlier attempt may be used again, so that this one's times say nothing."""


def pace_left_s(elapsed_s: float, percentage: float) -> float | None:
    """Return the seconds left if the rest goes on at the pace so far, or nothing where it is too early to say.

    `elapsed_s` is the attempt's running time, `percentage` (0 to 100) how far it has come.
    """
    if elapsed_s < SHORTEST_BASIS_S or percentage < SMALLEST_BASIS_PERCENT:
        return None
    return min(max(elapsed_s * (100.0 - percentage) / percentage, 0.0), LONGEST_S)


def estimated_left_s(estimates: StepEstimates, at: Position) -> float | None:
    """Return the seconds left of an attempt whose steps are estimated so, or nothing where it is too early.

    At least 0, at most `LONGEST_S`.
    """
    factor = Belief(0.0, estimates.common_spread**2)
    for step in STEPS[1 : STEPS.index(at.step)]:  # loading may have loaded the model too, which is no matter of pace
        if step in at.finished_s and not at.resumed:
            factor = factor.learn(_step_said(estimates, step, at.finished_s[step]))
    usual_s = estimates.seconds[at.step] + INSTANT_S
    prior = Belief(math.log(usual_s) + factor.mean, factor.variance + estimates.step_spread**2)
    elapsed_s = min(max(at.step_elapsed_s, 0.0), LONGEST_S)
    time = _with_pace(prior, at.fraction, elapsed_s)
    shared = factor.variance / prior.variance  # of a surprise in this step, what holds for the later ones too
    if factor.variance - shared**2 * (prior.variance - time.variance) > UNSURE_SPREAD**2:
        return None
    whole_s = _still_possible_s(time, elapsed_s)
    rest_s = whole_s - elapsed_s
    if at.resumed:  # some of the step may be done already
        rest_s = min(rest_s, whole_s * (1.0 - _bounded(at.fraction)))
    later = factor.mean + shared * (math.log(whole_s) - prior.mean)
    after_s = estimates.from_step_s(at.step) - estimates.seconds[at.step]
    return min(max(rest_s + after_s * math.exp(min(later, 50.0)), 0.0), LONGEST_S)


def finish_to_show(shown: datetime | None, left_s: float, now: datetime) -> datetime:
    """Return the finish time to show: the one `shown` so far, unless it has passed or what is `left_s` says otherwise."""
    finish = now + timedelta(seconds=min(max(left_s, 0.0), LONGEST_S))
    if shown is None or shown <= now:
        return finish
    kept_s = max(KEPT_SHARE * left_s, KEPT_S)
    return shown if abs((finish - shown).total_seconds()) <= kept_s else finish


@dataclass(frozen=True)
class Belief:
    """A logarithm that is not known exactly: mean and variance of a normal distribution."""

    mean: float
    variance: float

    def learn(self, said: "Belief") -> "Belief":
        """Return what is believed once something independent has been said of the same."""
        gain = self.variance / (self.variance + said.variance)
        return Belief(self.mean + gain * (said.mean - self.mean), self.variance * (1.0 - gain))


def _step_said(estimates: StepEstimates, step: Step, took_s: float) -> Belief:
    """Return what the time of a finished step says of the whole run's factor."""
    usual_s = estimates.seconds[step] + INSTANT_S
    took_s = min(max(took_s, 0.0), LONGEST_S) + INSTANT_S
    return Belief(math.log(took_s / usual_s), estimates.step_spread**2 + (CLOCK_ERROR_S / usual_s) ** 2)


def _with_pace(prior: Belief, fraction: float, elapsed_s: float) -> Belief:
    """Return what is believed of the time of the step that runs, once its pace is known too."""
    fraction = _bounded(fraction)
    if fraction < LEAST_FRACTION or elapsed_s < INSTANT_S:
        return prior
    spread = math.hypot(PACE_SPREAD * (1.0 - fraction), CLOCK_ERROR_S / elapsed_s, SURE_SPREAD)
    return prior.learn(Belief(math.log(elapsed_s / fraction), spread**2))


def _still_possible_s(time: Belief, elapsed_s: float) -> float:
    """Return the median of those times of a step that are longer than what has passed of it."""
    if elapsed_s <= 0.0:
        return math.exp(min(time.mean, 50.0))
    spread = math.sqrt(time.variance)
    passed = min((math.log(elapsed_s) - time.mean) / spread, FAR_TAIL)
    longer = 0.5 * math.erfc(passed / math.sqrt(2.0))  # the share of all times; 1 - cdf would be 0 far out
    quantile = -STANDARD.inv_cdf(longer / 2.0)
    return max(math.exp(min(time.mean + spread * quantile, 50.0)), elapsed_s)


def _bounded(fraction: float) -> float:
    return min(max(fraction, 0.0), 1.0)
