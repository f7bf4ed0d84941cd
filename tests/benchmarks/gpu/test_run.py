"""A whole run: refused where it cannot work, stored after every part."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import run
from benchmarks.gpu.parts import Step
from benchmarks.gpu.results import Outcome, Results
from recon_dev.state import CHECKOUT

STEPS = [
    Step("first", ("first",), limit_s=30, least_s=1),
    Step("second", ("second",), limit_s=30, least_s=1, after="first"),
]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two parts, run by a shell script that keeps what was stored before each, and is returned."""
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\ncp {tmp_path}/results/gpu-*.json {tmp_path}/before-$3\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    monkeypatch.setattr(run, "planned", lambda *, rehearsal: STEPS if rehearsal else [])
    monkeypatch.setattr(sys, "argv", ["run", str(tmp_path / "results"), "--cpu", "--commit", "abc"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return script


def stored(folder: Path) -> Results:
    (file,) = (folder / "results").iterdir()
    return Results.model_validate_json(file.read_bytes())


def test_what_was_found_is_stored_before_the_next_part(plan: Path) -> None:
    assert run.main() == 0
    results = stored(plan.parent)
    assert [(part.name, part.outcome) for part in results.parts] == [
        ("first", Outcome.DONE),
        ("second", Outcome.DONE),
    ]
    assert results.rehearsal
    assert results.run["commit"] == "abc"
    before: list[Any] = [
        json.loads((plan.parent / f"before-benchmarks.gpu.{name}").read_text()) for name in ("first", "second")
    ]
    assert [[part["name"] for part in each["parts"]] for each in before] == [[], ["first"]]


@pytest.mark.parametrize(
    ("broken", "outcomes"),
    [
        pytest.param("first", [Outcome.FAILED, Outcome.LEFT_OUT], id="what needs the failed part is left out"),
        pytest.param("second", [Outcome.DONE, Outcome.FAILED], id="the last one failed"),
    ],
)
def test_a_part_that_fails_is_the_run_s_failure(plan: Path, broken: str, outcomes: list[Outcome]) -> None:
    plan.write_text(f'#!/bin/sh\ncase "$*" in *{broken}*) exit 1 ;; esac\n')
    assert run.main() == 1
    assert [part.outcome for part in stored(plan.parent).parts] == outcomes


def test_a_machine_without_a_gpu_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["run", str(tmp_path / "results")])
    assert run.main() == run.EXIT_UNUSABLE
    assert "sees no GPU" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_machine_without_the_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run.unusable(rehearsal=True) is None
    monkeypatch.setattr(run, "installed_models", dict)
    assert "multiview is not installed" in str(run.unusable(rehearsal=True))


@pytest.mark.slow
def test_the_script_runs_from_any_folder(tmp_path: Path) -> None:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "PYTHON": sys.executable}
    command = [str(CHECKOUT / "benchmarks" / "gpu" / "run.sh"), "results"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == run.EXIT_UNUSABLE, done.stderr
    assert "sees no GPU" in done.stderr
    assert list(tmp_path.iterdir()) == []
