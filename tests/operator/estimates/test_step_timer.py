"""How long a running attempt has been at its steps, by its reports."""

import pytest

from recon_api.payload import ProgressMeta
from recon_api.steps import Step
from recon_operator.estimates.step_timer import StepDurations, StepTimer


def meta(step: Step, elapsed_s: float, progress: float = 50.0) -> ProgressMeta:
    """Return a report."""
    return ProgressMeta(progress=progress, step=step, step_elapsed_s=elapsed_s)


@pytest.mark.parametrize(
    ("reports", "times"),
    [
        pytest.param([(100, None)], StepDurations(), id="before the first report nothing is known"),
        pytest.param([(100, meta(Step.LOADING, 3))], StepDurations(3), id="a report says it"),
        pytest.param(
            [(100, meta(Step.LOADING, 3)), (107, meta(Step.LOADING, 3))], StepDurations(10), id="it grows old"
        ),
        pytest.param(
            [(100, meta(Step.LOADING, 3)), (107, meta(Step.LOADING, 9.5))], StepDurations(10), id="a newer one agrees"
        ),
        pytest.param(
            [(100, meta(Step.LOADING, 3)), (109, meta(Step.PREPROCESSING, 2))],
            StepDurations(2, {Step.LOADING: 10}),
            id="the next step ends it",
        ),
        pytest.param(
            [(100, meta(Step.PREVIEWS, 9)), (200, meta(Step.FINALIZING, 0))],
            StepDurations(0, {Step.PREVIEWS: 109}),
            id="an operator that starts late knows the steps that it sees",
        ),
    ],
)
def test_durations(reports: list[tuple[float, ProgressMeta | None]], times: StepDurations) -> None:
    timer = StepTimer()
    assert [timer.record("a", 1, report, now) for now, report in reports][-1] == times


def test_another_attempt_is_timed_from_its_own_start() -> None:
    timer = StepTimer()
    timer.record("a", 1, meta(Step.LOADING, 3), 100)
    assert timer.record("a", 2, meta(Step.PREPROCESSING, 1), 110) == StepDurations(1)
