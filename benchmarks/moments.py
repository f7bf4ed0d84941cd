"""Choosing the moments at which jobs are cancelled: as many in each step, however short, spread evenly over its time."""

import random
import statistics
from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

from recon_api.steps import Step

REMEMBERED_RUNS = 5
"""Of which the median tells how long a step takes: the machine may have other work that comes and goes."""


class Moment(NamedTuple):
    """A moment of a run."""

    step: Step
    place: float
    """0 at the begin of the step, 1 at its end."""


class Pace:
    """How long each step takes, and how soon the first one begins, by the latest runs."""

    def __init__(self) -> None:
        self._took_s: dict[Step, deque[float]] = {}
        self._starts_s: dict[Step, deque[float]] = {}

    def note(self, begins: Mapping[Step, float], end: float | None = None, start: float | None = None) -> None:
        """Learn from when each step of a run began, and when its last one ended if it was not stopped there.

        `start` is when a worker took the run.
        """
        steps = sorted(begins, key=lambda step: begins[step])
        bounds = [begins[step] for step in steps] + ([] if end is None else [end])
        for step, (earlier, later) in zip(steps, pairwise(bounds), strict=False):
            _remember(self._took_s, step, later - earlier)
        if steps and start is not None:
            _remember(self._starts_s, steps[0], begins[steps[0]] - start)

    @property
    def took_s(self) -> dict[Step, float]:
        """Return how long each step takes."""
        return {step: statistics.median(self._took_s[step]) for step in Step if step in self._took_s}

    def begins_after_s(self, step: Step) -> float | None:
        """Return how long after its start a run begins whose first step it is; None where none has been seen."""
        return statistics.median(self._starts_s[step]) if step in self._starts_s else None


def _remember(latest: dict[Step, deque[float]], step: Step, seconds: float) -> None:
    latest.setdefault(step, deque(maxlen=REMEMBERED_RUNS)).append(seconds)


def choose_moments(count: int, random_seed: int) -> list[Moment]:
    """Return `count` moments in random order, spread evenly over the steps, and within each step over its time."""
    dice, steps = random.Random(random_seed), list(Step)
    shares = [count // len(steps) + (index < count % len(steps)) for index in range(len(steps))]
    moments = [
        Moment(step, (part + dice.random()) / share)
        for step, share in zip(steps, shares, strict=True)
        for part in range(share)
    ]
    dice.shuffle(moments)
    return moments


def step_at(begins: Mapping[Step, float], moment: float) -> Step | None:
    """Return the step that ran at that moment, None where none had begun."""
    begun = [step for step, begin in begins.items() if begin <= moment]
    return max(begun, key=lambda step: begins[step], default=None)


def since(step: Step, begins: Mapping[Step, float]) -> dict[Step, float]:
    """Return the begins of this step and the later ones: those before were found finished."""
    steps = list(Step)
    return {each: begin for each, begin in begins.items() if steps.index(each) >= steps.index(step)}
