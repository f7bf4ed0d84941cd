"""Finished runs, whose steps took what a test says."""

from collections.abc import Mapping

from recon_api.payload import FinishedRun
from recon_api.status import StepTime
from recon_api.steps import Step
from tests.operator.builders import NOW

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
