"""What is read of a reconstruction's report, and how reconstructions are shown."""

import json

import pytest

from benchmarks.evaluate import Cost
from benchmarks.gpu.gpu_use import GpuUse
from benchmarks.gpu.results import Timing
from benchmarks.gpu.table import side_by_side
from benchmarks.gpu.timings import Report, check_device, lines
from recon_dev.ground_truth.evaluation import Evaluation
from recon_dev.ground_truth.surface_distance import ThresholdScore
from tests.support.evaluations import evaluation

STAGES = [
    {"name": "estimate_poses", "seconds": 8.5, "cpu_seconds": 20.25, "photos": 36},
    {"name": "estimate_depth", "seconds": 2.5, "cpu_seconds": 3.0, "device": "NVIDIA H200", "views": 36},
]


def timing(device: str = "NVIDIA H200", gpu: GpuUse | None = None, evaluation: Evaluation | None = None) -> Timing:
    report = Report.model_validate_json(json.dumps({"model": "multiview", "stages": STAGES}))
    cost = Cost(wall_s=20, cpu_s=40, peak_memory_bytes=3 * 2**29)
    return Timing(
        photo_set="teapot",
        photos=36,
        quality="standard",
        device=device,
        cost=cost,
        stages=report.times(),
        gpu=gpu,
        evaluation=evaluation,
    )


EVALUATION = evaluation(35, 36, [ThresholdScore(threshold_percent=0.25, precision=98, recall=97, f_score=97.5)])

USE = GpuUse(samples=100, busy_share=0.123, in_use_share=0.4, peak_memory_mib=2500, memory_before_mib=3)


def test_stages_and_device_are_read_from_the_report() -> None:
    report = Report.model_validate_json(json.dumps({"model": "multiview", "stages": STAGES}))
    assert report.device == "NVIDIA H200"
    assert [(stage.name, stage.wall_s, stage.cpu_s) for stage in report.times()] == [
        ("estimate_poses", 8.5, 20.25),
        ("estimate_depth", 2.5, 3.0),
    ]


def test_a_report_that_names_no_device_is_refused() -> None:
    with pytest.raises(ValueError, match="no stage of the report names its device"):
        _ = Report.model_validate_json(json.dumps({"stages": STAGES[:1]})).device


@pytest.mark.parametrize(
    ("device", "wanted", "right"),
    [("NVIDIA H200", "gpu", True), ("cpu", "cpu", True), ("cpu", "gpu", False), ("NVIDIA H200", "cpu", False)],
)
def test_a_reconstruction_on_the_wrong_device_is_a_failure(device: str, wanted: str, right: bool) -> None:
    if right:
        check_device(timing(device), wanted)
    else:
        with pytest.raises(ValueError, match=f"it was to run on the {wanted}, but ran on {device}"):
            check_device(timing(device), wanted)


def test_a_reconstruction_is_shown_and_then_its_evaluation() -> None:
    title, poses, depth, use = lines(timing(gpu=USE))
    assert title.startswith("teapot, 36 photos, standard, on NVIDIA H200: 20.0 s, 40.0 CPU-s")
    assert poses.split() == ["estimate_poses", "8.50", "s", "20.25", "CPU-s"]
    assert depth.split()[1] == "2.50"
    assert use.strip() == "GPU: busy 12.3% of the time, peak memory 2500.0 MiB (3.0 MiB before)"
    (scores,) = lines(timing(evaluation=EVALUATION))
    assert scores.endswith("35 of 36 photos placed, F 97.5 at 0.25 %")


def test_reconstructions_are_shown_side_by_side() -> None:
    table = side_by_side({"on the gpu": timing(gpu=USE, evaluation=EVALUATION), "on the cpu": timing("cpu")})
    cells = {line[:22].strip(): line[22:].split() for line in table[1:]}
    assert cells["estimate_depth, s"] == ["2.50", "2.50"]
    assert cells["whole process, s"] == ["20.00", "20.00"]
    assert cells["GPU busy, %"] == ["12.3"]
    assert cells["F at 0.25 %"] == ["97.5"]
    assert len({len(line) for line in table}) == 1
    assert side_by_side({}) == []
