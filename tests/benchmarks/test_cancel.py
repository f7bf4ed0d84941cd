"""The arithmetic of the cancel benchmark; the jobs and servers that it measures are real and need no test."""

from collections import Counter

import pytest

from benchmarks.cancel import distribution, summary
from benchmarks.cancelled_jobs import Cancelled
from benchmarks.moments import Pace, choose_moments, since, step_at
from recon_api.steps import Step

BEGINS = {
    Step.LOADING: 100.0,
    Step.PREPROCESSING: 101.0,
    Step.RECONSTRUCTION: 103.0,
    Step.POST_PROCESSING: 107.0,
    Step.PREVIEWS: 108.0,
    Step.FINALIZING: 110.0,
}


@pytest.fixture
def pace() -> Pace:
    """What is known after one whole run."""
    pace = Pace()
    pace.note(BEGINS, end=110.5)
    return pace


def test_a_whole_run_tells_how_long_each_step_takes(pace: Pace) -> None:
    assert list(pace.took_s.values()) == [1.0, 2.0, 4.0, 1.0, 2.0, 0.5]


def test_a_run_that_was_stopped_tells_of_the_steps_that_it_finished(pace: Pace) -> None:
    pace.note({Step.LOADING: 200.0, Step.PREPROCESSING: 203.0})
    assert pace.took_s[Step.LOADING] == 2.0, "the median of both"
    assert pace.took_s[Step.PREPROCESSING] == 2.0, "the second run did not finish it"


def test_the_latest_runs_tell_the_pace(pace: Pace) -> None:
    for _ in range(5):
        pace.note({Step.LOADING: 200.0, Step.PREPROCESSING: 207.0})
    assert pace.took_s[Step.LOADING] == 7.0


def test_the_start_of_a_run_tells_when_its_first_step_begins(pace: Pace) -> None:
    assert pace.begins_after_s(Step.LOADING) is None, "nobody has said when the run was started"
    pace.note(since(Step.PREVIEWS, BEGINS), start=107.5)
    assert pace.begins_after_s(Step.PREVIEWS) == 0.5
    assert pace.begins_after_s(Step.FINALIZING) is None


def test_steps_that_were_found_finished_tell_nothing(pace: Pace) -> None:
    pace.note(since(Step.PREVIEWS, BEGINS | {Step.RECONSTRUCTION: 107.9}), end=112.0)
    assert list(pace.took_s.values()) == [1.0, 2.0, 4.0, 1.0, 2.0, 1.25]


def test_each_step_has_as_many_moments_and_they_are_spread_over_it() -> None:
    moments = choose_moments(200, random_seed=1)
    assert sorted(Counter(moment.step for moment in moments).values()) == [33, 33, 33, 33, 34, 34]
    for step in Step:
        places = sorted(moment.place for moment in moments if moment.step is step)
        assert all(part / len(places) <= place <= (part + 1) / len(places) for part, place in enumerate(places))
    assert moments == choose_moments(200, random_seed=1)
    assert moments != choose_moments(200, random_seed=2)


@pytest.mark.parametrize(
    ("moment", "step"),
    [
        pytest.param(99.0, None, id="before the first step"),
        pytest.param(103.5, Step.RECONSTRUCTION, id="within a step"),
        pytest.param(200.0, Step.FINALIZING, id="after all of them"),
    ],
)
def test_the_step_of_a_moment_is_the_last_that_had_begun(moment: float, step: Step | None) -> None:
    assert step_at(BEGINS, moment) is step


def cancelled(step: Step, stopped_s: float | None, phase: str = "Cancelled", *, killed: bool = False) -> Cancelled:
    return Cancelled(
        name="a",
        planned=step,
        step=step,
        phase=phase,
        acknowledged_s=0.01,
        ordered_s=stopped_s and stopped_s / 2,
        stopped_s=stopped_s,
        ended_s=1.0,
        next_s=0.5,
        killed=killed,
        left=(),
    )


def test_only_jobs_that_the_order_stopped_count() -> None:
    jobs = [
        cancelled(Step.LOADING, 0.2),
        cancelled(Step.PREVIEWS, 0.4, killed=True),
        cancelled(Step.FINALIZING, None, "Succeeded"),
    ]
    figures = summary(jobs)
    assert figures["phases"] == {"Cancelled": 2, "Succeeded": 1}
    assert (figures["killed"], figures["left_behind"]) == (1, 0)
    assert figures["all"]["jobs"] == 2
    assert figures["all"]["confirm_to_stopped_s"]["max"] == 0.4
    assert figures["all"]["ordered_to_stopped_s"]["max"] == 0.2
    assert list(figures["by_step"]) == [Step.LOADING, Step.PREVIEWS]


def test_a_distribution_of_few_values() -> None:
    assert distribution([]) == {}
    assert distribution([2.0]) == {"p50": 2.0, "p90": 2.0, "p99": 2.0, "max": 2.0}
    assert distribution([float(value) for value in range(101)]) == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "max": 100.0}
