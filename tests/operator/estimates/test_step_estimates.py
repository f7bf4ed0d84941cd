"""How long the steps of a job are likely to take, by finished runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_api.payload import FinishedRun
from recon_api.steps import Step
from recon_operator.estimates.step_estimates import estimate_steps
from tests.operator.runs import USUAL, ran


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
    expected = estimate_steps(runs, photos, gpu)
    assert expected is not None
    assert expected.seconds[step] == pytest.approx(seconds, rel=0.05, abs=0.1)


@pytest.mark.parametrize("runs", [[], [ran(steps={})]])
def test_without_timed_runs_nothing_is_estimated(runs: list[FinishedRun]) -> None:
    assert estimate_steps(runs, 20, "H200") is None


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_photos_never_take_less_time(one: int, other: int) -> None:
    fewer, more = (estimate_steps([ran()], number, "H200") for number in sorted((one, other)))
    assert fewer is not None
    assert more is not None
    assert fewer.from_step_s(Step.LOADING) <= more.from_step_s(Step.LOADING) * (1 + 1e-9)
