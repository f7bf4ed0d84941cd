"""Time left of running attempts: from finished jobs, from the attempt itself, and what is shown of it."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_api.payload import FinishedRun, ProgressMeta
from recon_api.status import StepTime
from recon_api.steps import Step
from recon_operator.estimates.remaining_time import Position, expected_left_s, finish_to_show, pace_left_s
from recon_operator.estimates.step_durations import LONGEST_S, ExpectedSteps, expected_steps
from recon_operator.estimates.step_timer import StepClock, StepTimes
from tests.operator.builders import NOW, ago

USUAL = {
    Step.LOADING: 1.0,
    Step.PREPROCESSING: 10.0,
    Step.RECONSTRUCTION: 50.0,
    Step.POST_PROCESSING: 20.0,
    Step.PREVIEWS: 10.0,
    Step.FINALIZING: 1.0,
}
"""Seconds of the steps of a usual run of 20 photos."""


def ran(
    photos: int | None = 20, *, gpu: str = "H200", factor: float = 1.0, steps: Mapping[Step, float] = USUAL
) -> FinishedRun:
    """Return a finished run whose steps took what they usually do, times the factor."""
    times = tuple(StepTime(name=step.value, seconds=seconds * factor) for step, seconds in steps.items())
    return FinishedRun(uid="another", finished_at=NOW, photos=photos, gpu=gpu, steps=times)


def grown(photos: int) -> FinishedRun:
    """Return a run in which preprocessing grows by the square of the photos, and post-processing not at all."""
    steps = USUAL | {Step.PREPROCESSING: 10.0 * (photos / 20) ** 2, Step.RECONSTRUCTION: 50.0 * photos / 20}
    return ran(photos, steps=steps)


MANY = [grown(photos) for photos in (10, 14, 20, 28, 40)]


@pytest.mark.parametrize(
    ("runs", "photos", "gpu", "step", "seconds"),
    [
        pytest.param([ran()], 20, "H200", Step.RECONSTRUCTION, 50, id="a run of as many photos says it"),
        pytest.param([ran()], 40, "H200", Step.RECONSTRUCTION, 100, id="twice the photos take twice as long"),
        pytest.param([ran()], 40, "H200", Step.PREVIEWS, 10, id="previews take the same however many photos"),
        pytest.param(MANY, 80, "H200", Step.PREPROCESSING, 160, id="how a step grows is learned"),
        pytest.param(MANY, 80, "H200", Step.POST_PROCESSING, 20, id="so is that a step does not grow"),
        pytest.param(
            [ran(gpu="T4", factor=9), ran(gpu="T4", factor=9), ran()],
            20,
            "H200",
            Step.RECONSTRUCTION,
            50,
            id="runs on the same GPU come before others",
        ),
        pytest.param(
            [ran(gpu="T4")], 20, "H200", Step.RECONSTRUCTION, 50, id="runs on another GPU are better than none"
        ),
        pytest.param(
            [ran(), ran(factor=9), ran()], 20, "H200", Step.RECONSTRUCTION, 50, id="an outlier moves hardly anything"
        ),
        pytest.param(
            40 * [ran(factor=2)] + 60 * [ran()], 20, "H200", Step.RECONSTRUCTION, 100, id="newer runs count more"
        ),
        pytest.param(
            [ran(photos=400, factor=90), ran(photos=400, factor=90), ran()],
            20,
            "H200",
            Step.PREVIEWS,
            10,
            id="runs of about as many photos count more",
        ),
        pytest.param(MANY, None, "H200", Step.RECONSTRUCTION, 50, id="a job of unknown photos has as many as others"),
        pytest.param([ran(photos=None)], 20, "H200", Step.RECONSTRUCTION, 50, id="a model that reads no photos"),
        pytest.param([ran(steps={Step.PREVIEWS: 7})], 20, "H200", Step.RECONSTRUCTION, 0, id="a step nobody ran"),
    ],
)
def test_what_finished_runs_say_of_a_step(
    runs: list[FinishedRun], photos: int | None, gpu: str, step: Step, seconds: float
) -> None:
    expected = expected_steps(runs, photos, gpu)
    assert expected is not None
    assert expected.seconds[step] == pytest.approx(seconds, rel=0.05, abs=0.1)


@pytest.mark.parametrize("runs", [[], [ran(steps={})]])
def test_without_timed_runs_nothing_is_expected(runs: list[FinishedRun]) -> None:
    assert expected_steps(runs, 20, "H200") is None


def usual(common_spread: float = 0.2, step_spread: float = 0.1) -> ExpectedSteps:
    """Return that the usual is expected."""
    return ExpectedSteps(USUAL, common_spread, step_spread)


AT_START = Position(Step.PREPROCESSING, 0.0, 0.0)
HALF_POSED = Position(Step.RECONSTRUCTION, 0.5, 25.0, {Step.PREPROCESSING: 10.0})
SLOW = Position(Step.RECONSTRUCTION, 0.0, 0.0, {Step.PREPROCESSING: 20.0})
COLD_START = Position(Step.PREPROCESSING, 0.0, 0.0, {Step.LOADING: 30.0})
REUSED = Position(Step.RECONSTRUCTION, 0.0, 0.0, {Step.PREPROCESSING: 0.1}, resumed=True)
OVERDUE = Position(Step.PREVIEWS, 0.0, 40.0)
LONG = Position(Step.RECONSTRUCTION, 0.0, 100.0)
LAST = Position(Step.FINALIZING, 1.0, 1.0)


@pytest.mark.parametrize(
    ("at", "least_s", "most_s"),
    [
        pytest.param(AT_START, 91, 91.2, id="at the start of a step it and the later ones are left"),
        pytest.param(HALF_POSED, 55, 58, id="half a step later half of it is left"),
        pytest.param(SLOW, 110, 162, id="a step that took twice as long makes the later ones longer"),
        pytest.param(COLD_START, 91, 91.2, id="loading says nothing: it may have loaded the model"),
        pytest.param(REUSED, 81, 81.2, id="what a resumed attempt did not run says nothing"),
        pytest.param(OVERDUE, 1.5, 8, id="a step that takes too long is given a little more"),
        pytest.param(LONG, 50, 80, id="a step that takes twice as long makes the later ones longer before it is over"),
        pytest.param(LAST, 0, 0.2, id="at the end hardly anything is left"),
    ],
)
def test_time_left_by_finished_jobs(at: Position, least_s: float, most_s: float) -> None:
    left_s = expected_left_s(usual(), at)
    assert left_s is not None
    assert least_s <= left_s <= most_s


def test_nothing_is_said_while_finished_jobs_differ_too_much() -> None:
    assert expected_left_s(usual(common_spread=1.0), AT_START) is None


def test_the_attempts_own_pace_decides_where_finished_jobs_differ() -> None:
    five_times_as_long = Position(Step.RECONSTRUCTION, 0.6, 150.0, {Step.PREPROCESSING: 50.0})
    left_s = expected_left_s(usual(common_spread=1.0), five_times_as_long)
    assert left_s == pytest.approx(100 + 5 * 31, rel=0.1)


def test_a_step_of_a_resumed_attempt_that_is_half_done_already_takes_half() -> None:
    left_s = expected_left_s(usual(), Position(Step.RECONSTRUCTION, 0.5, 0.1, resumed=True))
    assert left_s is not None
    assert left_s < 31 + 26


@pytest.mark.parametrize(
    ("elapsed_s", "percentage", "left_s"),
    [
        pytest.param(30.0, 50.0, 30, id="half done takes as long again"),
        pytest.param(90.0, 90.0, 10, id="the rest goes on at the same pace"),
        pytest.param(2.0, 50.0, None, id="it is too early to say"),
        pytest.param(60.0, 4.0, None, id="too little is done to say"),
        pytest.param(60.0, 100.0, 0, id="nothing is left"),
    ],
)
def test_time_left_by_pace(elapsed_s: float, percentage: float, left_s: float | None) -> None:
    assert pace_left_s(elapsed_s, percentage) == (left_s if left_s is None else pytest.approx(left_s))


def after(seconds: float) -> datetime:
    """Return the time so long after now."""
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("shown", "left_s", "finish"),
    [
        pytest.param(None, 60, after(60), id="the first estimate is shown"),
        pytest.param(after(100), 105, after(100), id="a small change is not shown"),
        pytest.param(after(100), 115, after(115), id="a large one is"),
        pytest.param(after(100), 80, after(80), id="also an earlier end"),
        pytest.param(after(3), 4, after(3), id="a second more or less does not matter"),
        pytest.param(ago(0.5), 0.2, after(0.2), id="a time that has passed is not kept"),
        pytest.param(None, -5, NOW, id="no end lies in the past"),
        pytest.param(None, math.inf, after(LONGEST_S), id="no end is infinitely far"),
    ],
)
def test_finish_to_show(shown: datetime | None, left_s: float, finish: datetime) -> None:
    assert finish_to_show(shown, left_s, NOW) == finish


def meta(step: Step, elapsed_s: float, progress: float = 50.0) -> ProgressMeta:
    """Return a report."""
    return ProgressMeta(progress=progress, step=step, step_elapsed_s=elapsed_s)


@pytest.mark.parametrize(
    ("reports", "times"),
    [
        pytest.param([(100, None)], StepTimes(), id="before the first report nothing is known"),
        pytest.param([(100, meta(Step.LOADING, 3))], StepTimes(3), id="a report says it"),
        pytest.param([(100, meta(Step.LOADING, 3)), (107, meta(Step.LOADING, 3))], StepTimes(10), id="it grows old"),
        pytest.param(
            [(100, meta(Step.LOADING, 3)), (107, meta(Step.LOADING, 9.5))], StepTimes(10), id="a newer one agrees"
        ),
        pytest.param(
            [(100, meta(Step.LOADING, 3)), (109, meta(Step.PREPROCESSING, 2))],
            StepTimes(2, {Step.LOADING: 10}),
            id="the next step ends it",
        ),
        pytest.param(
            [(100, meta(Step.PREVIEWS, 9)), (200, meta(Step.FINALIZING, 0))],
            StepTimes(0, {Step.PREVIEWS: 109}),
            id="an operator that starts late knows the steps that it sees",
        ),
    ],
)
def test_step_clock(reports: list[tuple[float, ProgressMeta | None]], times: StepTimes) -> None:
    clock = StepClock()
    assert [clock.note("a", 1, report, now) for now, report in reports][-1] == times


def test_another_attempt_begins_anew() -> None:
    clock = StepClock()
    clock.note("a", 1, meta(Step.LOADING, 3), 100)
    assert clock.note("a", 2, meta(Step.PREPROCESSING, 1), 110) == StepTimes(1)


# --- what holds for any numbers ---------------------------------------------------------------------------------

numbers = st.floats(0, 1e300) | st.sampled_from([0.0, 5e-324, 1e-9, 1.0, 60.0, 1e308])
steps = st.sampled_from(Step)
runs = st.builds(
    FinishedRun,
    uid=st.uuids().map(str),
    finished_at=st.just(NOW),
    photos=st.none() | st.integers(-(10**30), 10**30) | st.integers(1, 500),
    gpu=st.sampled_from(["", "H200", "cpu"]),
    steps=st.lists(st.builds(StepTime, name=steps.map(str) | st.text(max_size=5), seconds=numbers), max_size=7).map(
        tuple
    ),
)
photos = st.none() | st.integers(-(10**30), 10**30) | st.integers(1, 500)
positions = st.builds(
    Position,
    step=steps,
    fraction=st.floats(-1, 2),
    step_elapsed_s=numbers,
    finished_s=st.dictionaries(steps, numbers),
    resumed=st.booleans(),
)
ordinary = st.floats(0.01, 1e5)
expectations = st.builds(
    lambda seconds, common, single: ExpectedSteps(dict(zip(Step, seconds, strict=True)), common, single),
    st.lists(ordinary, min_size=6, max_size=6),
    st.floats(0.05, 0.5),
    st.floats(0.05, 0.5),
)


@given(st.lists(runs, max_size=8), photos, st.sampled_from(["", "H200"]), positions)
def test_what_is_left_is_never_negative_and_never_endless(
    runs: list[FinishedRun], photos: int | None, gpu: str, at: Position
) -> None:
    expected = expected_steps(runs, photos, gpu)
    left_s = expected_left_s(expected, at) if expected else None
    assert left_s is None or 0 <= left_s <= LONGEST_S


@given(expectations, steps, ordinary, st.floats(0, 1e4))
def test_the_end_comes_no_nearer_while_a_step_goes_on_without_a_word(
    expected: ExpectedSteps, step: Step, elapsed_s: float, more_s: float
) -> None:
    before = expected_left_s(expected, Position(step, 0.0, elapsed_s))
    after = expected_left_s(expected, Position(step, 0.0, elapsed_s + more_s))
    assert before is not None
    assert after is not None
    assert after + more_s >= before * (1 - 1e-6) - 1e-6


@given(expectations, ordinary, ordinary)
def test_a_slower_step_never_shortens_the_rest(expected: ExpectedSteps, one_s: float, other_s: float) -> None:
    quick, slow = sorted((one_s, other_s))
    left = [
        expected_left_s(expected, Position(Step.POST_PROCESSING, 0.0, 0.0, {Step.RECONSTRUCTION: took_s}))
        for took_s in (quick, slow)
    ]
    assert left[0] is not None
    assert left[1] is not None
    assert left[0] <= left[1] * (1 + 1e-9)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_photos_never_take_less_time(one: int, other: int) -> None:
    fewer, more = (expected_steps([ran()], number, "H200") for number in sorted((one, other)))
    assert fewer is not None
    assert more is not None
    assert fewer.from_step_s(Step.LOADING) <= more.from_step_s(Step.LOADING) * (1 + 1e-9)


@given(st.none() | st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_what_is_shown_is_near_what_is_known(shown_s: float | None, left_s: float) -> None:
    shown = None if shown_s is None else after(shown_s)
    finish = finish_to_show(shown, left_s, NOW)
    assert finish >= NOW
    assert abs((finish - NOW).total_seconds() - left_s) <= max(0.1 * left_s, 1.0) + 1e-5
