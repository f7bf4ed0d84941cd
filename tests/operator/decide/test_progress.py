"""When a running job will be done, as its status says it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_api.payload import ProgressMeta
from recon_api.status import Progress
from recon_api.steps import Step
from recon_operator.decide import decide
from recon_operator.decide.limits import Limits
from recon_operator.decide.progress import shown_finish
from recon_operator.estimates.step_durations import ExpectedSteps
from recon_operator.estimates.step_timer import StepTimes
from tests.operator.builders import NOW, ago, alive, make_job, running

LIMITS = Limits()
MINUTES = ExpectedSteps(dict.fromkeys(Step, 60.0), 0.2, 0.1)
"""Six steps of a minute each: 240 s are left when the third begins."""
ANYTHING = ExpectedSteps(dict.fromkeys(Step, 60.0), 2.0, 0.1)


def at(elapsed_s: float, percentage: float = 20.0, **fields: Any) -> ProgressMeta:
    """Return the report of an attempt that has been so long at the third step."""
    return ProgressMeta(progress=percentage, step=Step.RECONSTRUCTION, step_elapsed_s=elapsed_s, **fields)


def told(left_s: int | None, *, written_s_ago: float = 10.0, percentage: int = 20) -> Progress:
    """Return the progress that the status shows, in the third step."""
    return Progress(
        percentage=percentage,
        step=Step.RECONSTRUCTION,
        estimated_remaining_seconds=left_s,
        last_updated_time=ago(written_s_ago),
    )


def shown(progress: Progress | None, meta: ProgressMeta, expected: ExpectedSteps | None = MINUTES) -> Progress:
    """Return the progress that the next status shows."""
    job = make_job(status=running(progress=progress))
    found = decide(job, alive(progress=meta, expected=expected), NOW, LIMITS).status.progress
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("progress", "meta", "expected", "left_s"),
    [
        pytest.param(None, at(0), MINUTES, 240, id="finished jobs say it from the first report on"),
        pytest.param(None, at(0), None, 80, id="without any, the pace does"),
        pytest.param(None, at(0), ANYTHING, None, id="where they differ too much nothing is said"),
        pytest.param(told(250), at(0, 21), MINUTES, 240, id="the end that was told stays"),
        pytest.param(told(270), at(0, 21), MINUTES, 260, id="also when it is a little off"),
        pytest.param(told(400), at(0, 21), MINUTES, 240, id="not when it is far off"),
        pytest.param(told(5), at(0, 21), MINUTES, 240, id="nor when it has passed"),
        pytest.param(told(250), at(0, 21), ANYTHING, 240, id="what was told stays when it can no longer be said"),
        pytest.param(told(250, written_s_ago=1), at(0), MINUTES, 250, id="what is right is not written again"),
    ],
)
def test_time_left(
    progress: Progress | None, meta: ProgressMeta, expected: ExpectedSteps | None, left_s: int | None
) -> None:
    assert shown(progress, meta, expected).estimated_remaining_seconds == left_s


def test_a_step_that_takes_too_long_moves_the_end_without_a_percent_more() -> None:
    late = shown(told(190, written_s_ago=60), at(110))
    assert late.percentage == 20
    assert late.last_updated_time == NOW
    assert (late.estimated_remaining_seconds or 0) > 180


def test_an_old_report_is_no_reason_to_think_that_no_time_has_passed() -> None:
    job = make_job(status=running(progress=told(250)))
    seen = alive(progress=at(0, 25), expected=MINUTES, step_times=StepTimes(step_elapsed_s=50.0))
    progress = decide(job, seen, NOW, LIMITS).status.progress
    assert progress is not None
    assert (progress.estimated_remaining_seconds or 0) < 220


def test_an_end_that_moves_waits_for_its_turn() -> None:
    job = make_job(status=running(progress=told(400, written_s_ago=2)))
    decision = decide(job, alive(progress=at(0), expected=MINUTES), NOW, LIMITS)
    assert decision.status.progress == job.status.progress
    assert decision.look_again_at == NOW + timedelta(seconds=LIMITS.progress_interval_s - 2)


@given(
    st.none() | st.integers(0, 10**6),
    st.floats(0, 1e5),
    st.floats(0, 100),
    st.sampled_from([None, MINUTES, ANYTHING]),
    st.sampled_from(Step),
)
def test_what_is_shown_never_lies_in_the_past(
    left_s: int | None, elapsed_s: float, percentage: float, expected: ExpectedSteps | None, step: Step
) -> None:
    meta = ProgressMeta(progress=percentage, step=step, step_elapsed_s=elapsed_s)
    progress = shown(told(left_s), meta, expected)
    if progress.last_updated_time == NOW:
        finish = shown_finish(progress)
        assert finish is None or finish >= NOW
