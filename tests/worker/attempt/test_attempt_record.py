"""What the main process counts of an attempt: each end once, and nothing that cannot be read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pynvml
import pytest

from recon_api.payload import AttemptResult, Outcome, WorkerDescription
from recon_api.status import Metric
from recon_api.steps import Step
from recon_worker.attempt.attempt_record import AttemptEnd, StepVisit, collect, end_of, leave
from recon_worker.attempt.progress_reporter import ProgressFeed
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.telemetry.gpu_load import gpu_loads
from recon_worker.telemetry.metrics import WorkerMetrics

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FIGURES = (
    Metric(name="photos", value="17"),
    Metric(name="inputBytes", value="4096"),
    Metric(name="points", value="many"),
)


def result(outcome: Outcome, reason: str = "") -> AttemptResult:
    return AttemptResult(
        outcome=outcome,
        attempt=1,
        reason=reason,
        metrics=FIGURES,
        started_at=BEGAN,
        finished_at=BEGAN + timedelta(seconds=30),
    )


@pytest.mark.parametrize(
    ("end", "photos", "size"),
    [
        pytest.param(
            end_of("u", "synthetic", result(Outcome.COMPLETED)), 17, 4096, id="a completed job counts its input"
        ),
        pytest.param(
            end_of("u", "synthetic", result(Outcome.FAILED, "WorkerLost")), 0, 0, id="a failed attempt does not"
        ),
    ],
)
def test_the_input(end: AttemptEnd, photos: int, size: int) -> None:
    assert (end.photos, end.input_bytes, end.seconds) == (photos, size, 30.0)


def test_an_attempt_without_times_or_with_a_clock_that_was_set_back_took_no_time() -> None:
    odd = result(Outcome.FAILED).model_copy(update={"finished_at": BEGAN - timedelta(hours=1)})
    assert end_of("u", "m", odd).seconds == 0.0
    assert end_of("u", "m", AttemptResult(outcome=Outcome.FAILED, attempt=1)).seconds == 0.0


def test_each_end_is_collected_once_and_rubbish_never(tmp_path: Path) -> None:
    leave(tmp_path, end_of("u", "synthetic", result(Outcome.COMPLETED)))
    (tmp_path / "v.1.ended").write_text("{")
    (tmp_path / "w.1.draft").write_text("{")
    assert [end.uid for end in collect(tmp_path)] == ["u"]
    assert list(collect(tmp_path)) == []


def test_a_model_that_nobody_installed_makes_no_series_of_its_own(tmp_path: Path) -> None:
    worker = WorkerDescription(name="w", boot_id="b", models=("synthetic",))
    metrics = WorkerMetrics(worker, tmp_path, lambda: 0.0)
    steps = (StepVisit(step=Step.LOADING, began_at=0.0, seconds=2.0),)
    for model in ("synthetic", "invented-1", "invented-2"):
        metrics.note_end(end_of("u", model, result(Outcome.FAILED, "UnknownModel"), steps))
    labels = {"outcome": "failed", "reason": "UnknownModel"}
    sample = metrics.registry.get_sample_value
    assert sample("reconstruction_worker_attempts_total", {"model": "synthetic", **labels}) == 1
    assert sample("reconstruction_worker_attempts_total", {"model": "other", **labels}) == 2
    assert sample("reconstruction_worker_step_seconds_sum", {"model": "other", "step": "Loading input files"}) == 4


def test_the_visits_of_steps_follow_one_another() -> None:
    feed = ProgressFeed(lambda _: None, StopOrder())
    for step, percentage in [(Step.LOADING, 1), (Step.LOADING, 5), (Step.PREPROCESSING, 11), (Step.FINALIZING, 99)]:
        feed.show(step, percentage)
    visits = feed.visits()
    assert [visit.step for visit in visits] == [Step.LOADING, Step.PREPROCESSING, Step.FINALIZING]
    assert all(visit.seconds >= 0 for visit in visits)


def test_what_is_asked_of_the_gpus_library_is_there() -> None:
    for name in (
        "Init",
        "DeviceGetCount",
        "DeviceGetHandleByIndex",
        "DeviceGetMemoryInfo",
        "DeviceGetUUID",
        "DeviceGetUtilizationRates",
    ):
        assert callable(getattr(pynvml, f"nvml{name}"))
    assert issubclass(pynvml.NVMLError, Exception)


@pytest.mark.gpu
def test_the_load_of_a_gpu() -> None:
    loads = gpu_loads()
    if not loads:
        pytest.skip("no GPU")
    for load in loads:
        assert load.gpu.startswith(("GPU-", "MIG-"))
        assert 0 < load.used_bytes <= load.total_bytes
        assert load.busy is None or 0.0 <= load.busy <= 1.0
