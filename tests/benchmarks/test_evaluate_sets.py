"""The table of several photo sets, and why a set has no figures."""

import sys
from pathlib import Path

import pytest

from benchmarks import evaluate_sets
from benchmarks.evaluate import Cost, Result
from benchmarks.evaluate_sets import COLUMNS, Row, markdown, reason
from recon_dev.ground_truth.surface_distance import ThresholdScore
from tests.support.evaluations import evaluation


def make_result() -> Result:
    thresholds = tuple(
        ThresholdScore(
            threshold_percent=threshold, precision=50 + threshold, recall=60 + threshold, f_score=55 + threshold
        )
        for threshold in (0.25, 0.5, 1.0)
    )
    cost = Cost(wall_s=30, cpu_s=61.4, peak_memory_bytes=3 * 2**29)
    return Result(
        photo_set="facade",
        quality="standard",
        cost=cost,
        evaluation=evaluation(10, 11, thresholds, accuracy_median_percent=0.0456),
    )


def test_a_set_is_a_row_and_a_failed_one_says_why() -> None:
    table = markdown(
        [Row(name="facade", result=make_result()), Row(name="room", failure="InsufficientOverlap: 3 | 40")]
    )
    header, rule, facade, room = table.splitlines()
    assert header.startswith("| Set | Photos placed | F at 0.25 % |")
    assert rule.count("---") == len(COLUMNS)
    assert facade == "| facade | 10 of 11 | 55.2 | 55.5 | 56.0 | 50.5 | 60.5 | 0.046 % | 61 s | 1.5 GiB |"
    assert room.startswith("| room | failed: InsufficientOverlap: 3 \\| 40 |")
    assert room.replace("\\|", "").count("|") == len(COLUMNS) + 1


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        pytest.param(
            "step 1\nTooFew: 2 photos\nCommand '['python']' returned non-zero exit status 1.\n",
            "TooFew: 2 photos",
            id="the worker's last line",
        ),
        pytest.param(
            "nothing of the reconstruction lies near the truth\n",
            "nothing of the reconstruction lies near the truth",
            id="the comparison's",
        ),
        pytest.param("", "", id="a silent end"),
    ],
)
def test_the_reason_is_what_was_said_last(stderr: str, expected: str) -> None:
    assert reason(stderr) == expected


@pytest.mark.slow
def test_a_folder_without_photos_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty" / "images").mkdir(parents=True)
    monkeypatch.setattr(evaluate_sets, "KNOWN", {})
    monkeypatch.setattr(
        sys, "argv", ["evaluate_sets", "--also", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    )
    assert evaluate_sets.main() == 1
    printed = capsys.readouterr()
    assert "| empty | failed: " in printed.out
    (file,) = (tmp_path / "out").iterdir()
    assert '"failure":' in file.read_text()
