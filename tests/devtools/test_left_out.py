"""A run without a program names what it left out, in one line; a run in CI fails instead."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import PROMETHEUS, left_out

ROOT = Path(__file__).parents[2]


def test_each_missing_program_is_one_line() -> None:
    reasons = [PROMETHEUS.reason, f"('file', 1, 'Skipped: {PROMETHEUS.reason}')", "Skipped: no GPU"]
    assert left_out(reasons) == [
        "left out: 2 tests, prometheus and promtool not found on PATH; to run them: install Debian's package prometheus"
    ]
    assert left_out([]) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ci", "expected"),
    [
        pytest.param({}, "left out: 2 tests, prometheus and promtool not found on PATH", id="a person's run says so"),
        pytest.param({"CI": "true"}, "skipped, but CI must run it", id="CI fails"),
    ],
)
def test_a_run_without_prometheus(ci: dict[str, str], expected: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "tests/cluster/test_alerts.py",
        "-k",
        "promtool",
        "-p",
        "no:cacheprovider",
    ]
    ran = subprocess.run(command, cwd=ROOT, env={"PATH": "/nowhere", **ci}, capture_output=True, text=True, check=False)
    assert expected in ran.stdout, ran.stdout + ran.stderr
    assert (ran.returncode != 0) == bool(ci)
