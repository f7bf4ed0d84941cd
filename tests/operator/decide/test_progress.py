"""When a running job will be done, as its status says it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_api.payload import JobWarning, ProgressMeta
from recon_api.status import Progress
from recon_api.steps import Step
from recon_operator.decide import decide
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.decide.progress import shown_finish
from recon_operator.decide.summary import with_texts
from recon_operator.estimates.step_estimates import StepEstimates
from recon_operator.estimates.step_timer import StepDurations
from tests.operator.builders import NOW, ago, alive, completed, make_job, report, running

LIMITS = PolicySettings()
MINUTES = StepEstimates(dict.fromkeys(Step, 60.0), 0.2, 0.1)
"""Six steps of a minute each: 240 s are left when the third begins."""
ANYTHING = StepEstimates(dict.fromkeys(Step, 60.0), 2.0, 0.1)


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


def shown(progress: Progress | None, meta: ProgressMeta, estimates: StepEstimates | None = MINUTES) -> Progress:
    """Return the progress that the next status shows."""
    job = make_job(status=running(progress=progress))
    found = decide(job, alive(progress=meta, step_estimates=estimates), NOW, LIMITS).status.progress
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("shown_s_ago", "shown", "reported", "written"),
    [
        pytest.param(5.0, 30, 31.0, 31, id="a percent more is written after five seconds"),
        pytest.param(4.9, 30, 50.0, 30, id="within five seconds nothing is written"),
        pytest.param(60.0, 30, 30.9, 30, id="less than a percent is not written"),
        pytest.param(60.0, 30, 29.0, 30, id="progress does not go back within a step"),
        pytest.param(60.0, 30, 100.0, 99, id="the hundredth percent is the end's own"),
    ],
)
def test_progress_within_a_step(shown_s_ago: float, shown: int, reported: float, written: int) -> None:
    progress = {"percentage": shown, "step": "Running reconstruction", "lastUpdatedTime": ago(shown_s_ago)}
    job = make_job(status=running(progress=progress))
    status = decide(job, alive(progress=report(reported)), NOW, LIMITS).status
    assert status.progress is not None
    assert status.progress.percentage == written


def test_a_new_step_is_written_at_once() -> None:
    progress = {"percentage": 19, "step": "Preprocessing images", "lastUpdatedTime": ago(0.1)}
    job = make_job(status=running(progress=progress))
    status = decide(job, alive(progress=report(20.0)), NOW, LIMITS).status
    assert status.progress is not None
    assert (status.progress.step, status.progress.estimated_remaining_seconds) == ("Running reconstruction", 80)


@pytest.mark.parametrize(
    ("progress", "meta", "estimates", "left_s"),
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
    progress: Progress | None, meta: ProgressMeta, estimates: StepEstimates | None, left_s: int | None
) -> None:
    assert shown(progress, meta, estimates).estimated_remaining_seconds == left_s


def test_the_number_of_photos_is_part_of_the_progress() -> None:
    assert shown(None, at(0, photos=36)).photos == 36
    unchanged = told(250).model_copy(update={"percentage": 20})
    assert shown(unchanged, at(0, photos=36)).photos == 36, "also where it alone is news"
    seen = alive(result=completed().model_copy(update={"photos": 36}))
    progress = decide(make_job(status=running()), seen, NOW, LIMITS).status.progress
    assert progress is not None
    assert progress.photos == 36


def test_a_step_that_takes_too_long_moves_the_end_without_a_percent_more() -> None:
    late = shown(told(190, written_s_ago=60), at(110))
    assert late.percentage == 20
    assert late.last_updated_time == NOW
    assert (late.estimated_remaining_seconds or 0) > 180


def test_an_old_report_is_no_reason_to_think_that_no_time_has_passed() -> None:
    job = make_job(status=running(progress=told(250)))
    seen = alive(progress=at(0, 25), step_estimates=MINUTES, step_durations=StepDurations(step_elapsed_s=50.0))
    progress = decide(job, seen, NOW, LIMITS).status.progress
    assert progress is not None
    assert (progress.estimated_remaining_seconds or 0) < 220


def test_an_end_that_moves_waits_for_its_turn() -> None:
    job = make_job(status=running(progress=told(400, written_s_ago=2)))
    assert job.status.progress
    decision = decide(job, alive(progress=at(0), step_estimates=MINUTES), NOW, LIMITS)
    assert decision.status.progress == with_texts(job.status.progress)
    assert decision.look_again_at == NOW + timedelta(seconds=LIMITS.progress_interval_s - 2)


@given(
    st.none() | st.integers(0, 10**6),
    st.floats(0, 1e5),
    st.floats(0, 100),
    st.sampled_from([None, MINUTES, ANYTHING]),
    st.sampled_from(Step),
)
def test_what_is_shown_never_lies_in_the_past(
    left_s: int | None, elapsed_s: float, percentage: float, estimates: StepEstimates | None, step: Step
) -> None:
    meta = ProgressMeta(progress=percentage, step=step, step_elapsed_s=elapsed_s)
    progress = shown(told(left_s), meta, estimates)
    if progress.last_updated_time == NOW:
        finish = shown_finish(progress)
        assert finish is None or finish >= NOW


def test_a_warning_is_shown_while_the_job_runs() -> None:
    job = make_job(status=running(progress=told(100, written_s_ago=60)))
    warned = at(10.0, warnings=(JobWarning(reason="PhotosLeftOut", message="1 file is not used"),))
    assert decide(job, alive(progress=warned, step_estimates=MINUTES), NOW, LIMITS).status.warnings == (
        "1 file is not used",
    )
