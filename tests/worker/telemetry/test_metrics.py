"""A worker's series."""

from recon_api.payload import AttemptResult, Outcome, WorkerDescription
from recon_api.steps import Step
from recon_worker.telemetry.attempt_record import StepVisit, record_of
from recon_worker.telemetry.metrics import WorkerMetrics


def test_a_model_that_nobody_installed_makes_no_series_of_its_own() -> None:
    worker = WorkerDescription(name="w", boot_id="b", models=("synthetic",))
    metrics = WorkerMetrics(worker, list, lambda: 0.0, dict)
    failed = AttemptResult(outcome=Outcome.FAILED, attempt=1, reason="UnknownModel")
    steps = (StepVisit(step=Step.LOADING, began_at=0.0, seconds=2.0),)
    for model in ("synthetic", "invented-1", "invented-2"):
        metrics.count(record_of("u", model, failed, steps))
    labels = {"outcome": "failed", "reason": "UnknownModel"}
    sample = metrics.registry.get_sample_value
    assert sample("reconstruction_worker_attempts_total", {"model": "synthetic", **labels}) == 1
    assert sample("reconstruction_worker_attempts_total", {"model": "other", **labels}) == 2
    assert sample("reconstruction_worker_step_seconds_sum", {"model": "other", "step": "Loading input files"}) == 4
