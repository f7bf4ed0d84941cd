"""What Prometheus is told of jobs that end."""

from typing import Any

import pytest

from recon_api.status import Phase, StepTime
from recon_operator.jobs.cache import Jobs
from recon_operator.telemetry.metrics import Metrics
from tests.operator.builders import ended, finished, make_job, running

STEPS = (StepTime(name="Preprocessing images", seconds=4.0), StepTime(name="Running reconstruction", seconds=20.0))
SUCCEEDED = finished(Phase.SUCCEEDED, steps=STEPS, active_seconds=30)


@pytest.mark.parametrize(
    ("before", "after", "sample", "labels", "value"),
    [
        pytest.param(
            running(),
            SUCCEEDED,
            "reconstruction_step_seconds_sum",
            {"model": "synthetic", "step": "Running reconstruction"},
            20.0,
            id="a job that succeeds tells its steps",
        ),
        pytest.param(
            SUCCEEDED,
            SUCCEEDED,
            "reconstruction_step_seconds_count",
            {"model": "synthetic", "step": "Running reconstruction"},
            None,
            id="once",
        ),
        pytest.param(
            running(),
            SUCCEEDED,
            "reconstruction_gpu_seconds_total",
            {"namespace": "studio"},
            30.0,
            id="an attempt that ends tells how long it used a GPU",
        ),
        pytest.param(
            running(2, active_seconds=30),
            ended("WorkerLost", number=2, active_seconds=45),
            "reconstruction_gpu_seconds_total",
            {"namespace": "studio"},
            15.0,
            id="so does one that was lost",
        ),
    ],
)
def test_transitions(before: Any, after: Any, sample: str, labels: dict[str, str], value: float | None) -> None:
    metrics = Metrics(Jobs())
    metrics.note_transition(make_job(status=before), make_job(status=after))
    assert metrics.registry.get_sample_value(sample, labels) == value
