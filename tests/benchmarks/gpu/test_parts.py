"""Running the parts of a run: each within its time, and what it has found is kept however it ends."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.gpu.figures import Figure
from benchmarks.gpu.parts import NO_GPU, Step, planned, run_step
from benchmarks.gpu.results import Findings, Outcome, Part
from benchmarks.gpu.run import BUDGET_S

STEP = Step("agreement", ("agreement", "--cpu"), limit_s=30, least_s=1)
FOUND = Findings(
    figures=(Figure(name="medians", value=0, at_most=0), Figure(name="worst", value=float("nan"), at_most=0))
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell script in the place of Python: `$out` is where it stores what it finds."""
    script = tmp_path / "python"
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    return script


def written(program: Path, body: str) -> None:
    """Give the program what it does: the last argument is the file of its figures."""
    found = program.with_name("found.json")
    FOUND.save(found)
    program.write_text(f'#!/bin/sh\nfor out; do :; done\nfind() {{ cp {found} "$out"; }}\n{body}\n')


@pytest.mark.parametrize(
    ("body", "outcome", "why", "figures"),
    [
        pytest.param("find", Outcome.DONE, None, 2, id="all is well"),
        pytest.param(
            "find; echo one >&2; echo '1 of 2 figures' >&2; exit 1", Outcome.FAILED, "1 of 2 figures", 2, id="it failed"
        ),
        pytest.param("exit 3", Outcome.FAILED, "exit code 3", 0, id="it failed without a word"),
        pytest.param("exit 124", Outcome.FAILED, "exit code 124", 0, id="as if its time were up, which it is not"),
    ],
)
def test_a_part_ends(program: Path, body: str, outcome: Outcome, why: str | None, figures: int) -> None:
    written(program, body)
    part = run_step(STEP, 100, {})
    assert (part.outcome, part.reason, len(part.figures)) == (outcome, why, figures)


def test_a_part_that_takes_too_long_is_stopped_with_all_that_it_started(program: Path) -> None:
    child = program.with_name("child")
    written(program, f"find; sleep 60 & echo $! > {child}; wait")
    began = time.monotonic()
    part = run_step(replace(STEP, limit_s=1), 100, {})
    assert (part.outcome, part.reason) == (Outcome.TIMED_OUT, "it took more than 1 s")
    assert len(part.figures) == 2
    assert time.monotonic() - began < 30
    until = time.monotonic() + 10
    while Path(f"/proc/{child.read_text().strip()}/cmdline").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{child.read_text().strip()}/cmdline").exists()


def test_the_time_of_the_whole_run_counts_too(program: Path) -> None:
    written(program, "sleep 60")
    assert run_step(STEP, 1.5, {}).reason == "it took more than 1 s"


@pytest.mark.parametrize(
    ("left_s", "before", "why"),
    [
        pytest.param(0.5, Outcome.DONE, "only 0 s were left", id="no time is left"),
        pytest.param(100.0, Outcome.FAILED, "photos: failed", id="what it needs has failed"),
        pytest.param(100.0, Outcome.LEFT_OUT, "photos: left out", id="what it needs was left out"),
    ],
)
def test_a_part_is_left_out(program: Path, left_s: float, before: Outcome, why: str) -> None:
    written(program, "find")
    part = run_step(replace(STEP, after="photos"), left_s, {"photos": Part(name="photos", outcome=before)})
    assert (part.outcome, part.reason, part.figures) == (Outcome.LEFT_OUT, why, ())


def test_a_part_gets_its_arguments_and_its_environment(program: Path) -> None:
    seen = program.with_name("seen")
    written(program, f'echo "$*" "[$CUDA_VISIBLE_DEVICES]" > {seen}')
    run_step(replace(STEP, stores=False, environment=NO_GPU), 100, {})
    assert seen.read_text() == "-u -m benchmarks.gpu.agreement --cpu []\n"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ or os.environ["CUDA_VISIBLE_DEVICES"]


def test_a_run_that_is_asked_to_stop_stops_its_part(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = program.with_name("begun")
    written(program, f"find; touch {begun}; exec sleep 60")
    wait, waited = subprocess.Popen.wait, list[object]()

    def asked_to_stop(self: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        waited.append(self)
        if len(waited) > 1:
            return wait(self, timeout)
        until = time.monotonic() + 20
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        raise SystemExit

    monkeypatch.setattr(subprocess.Popen, "wait", asked_to_stop)
    part = run_step(STEP, 100, {})
    assert (part.outcome, part.reason) == (Outcome.CUT_OFF, "the run was asked to stop")
    assert len(part.figures) == 2


@pytest.mark.parametrize("rehearsal", [False, True])
def test_the_plan_keeps_to_order_and_time(rehearsal: bool) -> None:
    steps = planned(rehearsal=rehearsal)
    names = [step.name for step in steps]
    assert names[0] == "agreement"
    for number, step in enumerate(steps):
        assert step.after is None or step.after in names[:number]
    always = sum(step.limit_s for step in steps if not step.name.startswith("many"))
    assert always <= BUDGET_S


def test_a_rehearsal_touches_no_gpu() -> None:
    assert all(step.environment == NO_GPU for step in planned(rehearsal=True) if step.stores)
    on_gpu = [step.name for step in planned(rehearsal=False) if step.stores and step.environment != NO_GPU]
    assert on_gpu == ["agreement", "teapot, on the gpu", "many, on the gpu"]
