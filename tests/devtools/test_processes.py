"""A process of the local cluster is found ready, stopped with its children, and never mistaken for another."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from recon_dev.errors import DevError
from recon_dev.processes import Component, ProcessIdentity, RunningProcess, stop_recorded

pytestmark = pytest.mark.slow

SLEEP = "import time; time.sleep(60)"
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open(READY, 'w'); time.sleep(60)"
HAS_CHILD = "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); open(READY, 'w').write(str(c.pid)); time.sleep(60)"

Start = Callable[..., RunningProcess]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a Python program as a component that is ready once it has made the file READY."""

    def start(program: str, *, ready: Callable[[], bool] | None = None, within_s: float = 20.0) -> RunningProcess:
        marker = tmp_path / "ready"
        component = Component(
            name="program",
            command=[sys.executable, "-c", f"READY = {str(marker)!r}\n{program}"],
            env=dict(os.environ),
            ready=ready or marker.exists,
            ready_within_s=within_s,
            stop_within_s=0.3,
        )
        return RunningProcess(component, log=tmp_path / "program.log", record=tmp_path / "program.json")

    return start


@pytest.mark.parametrize(
    ("program", "within_s", "sentence"),
    [
        pytest.param("print('no such table'); raise SystemExit(3)", 20.0, "exit code 3", id="it ends by itself"),
        pytest.param("import os; os.kill(os.getpid(), 9)", 20.0, "signal SIGKILL", id="it is killed"),
        pytest.param(SLEEP, 0.1, "was not ready after", id="it takes too long"),
    ],
)
def test_a_component_that_does_not_come_up_is_named_with_its_log(
    start: Start, program: str, within_s: float, sentence: str
) -> None:
    process = start(program, ready=lambda: False, within_s=within_s)
    with pytest.raises(DevError, match=sentence) as caught:
        process.wait_ready()
    process.kill()
    assert "program.log" in str(caught.value)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("open(READY, 'w'); " + SLEEP, id="that leaves on SIGTERM"),
        pytest.param(IGNORES_SIGTERM, id="that ignores SIGTERM"),
    ],
)
def test_a_process_is_stopped(start: Start, tmp_path: Path, program: str) -> None:
    process = start(program)
    process.wait_ready()
    process.stop()
    assert process.identity.process() is None
    assert not (tmp_path / "program.json").exists()


def test_the_children_of_a_process_that_dies_are_ended(start: Start, tmp_path: Path) -> None:
    process = start(HAS_CHILD, ready=lambda: (tmp_path / "ready").exists() and (tmp_path / "ready").read_text() != "")
    process.wait_ready()
    child = psutil.Process(int((tmp_path / "ready").read_text()))
    os.kill(process.pid, signal.SIGKILL)
    while process.exit_code() is None:
        pass
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_recorded_process_is_stopped_by_others(start: Start, tmp_path: Path) -> None:
    process = start(SLEEP, ready=lambda: True)
    assert stop_recorded(tmp_path / "program.json")
    assert process.identity.process() is None
    process.kill()


@pytest.mark.parametrize("text", ["", "{", '{"pid": 0}'], ids=["empty", "cut short", "without a start time"])
def test_a_damaged_record_is_removed(tmp_path: Path, text: str) -> None:
    (tmp_path / "program.json").write_text(text)
    assert not stop_recorded(tmp_path / "program.json")
    assert not (tmp_path / "program.json").exists()


def test_a_later_process_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", SLEEP])
    identity = ProcessIdentity.of(other.pid)
    stale = ProcessIdentity(pid=identity.pid, create_time=identity.create_time - 3600)
    (tmp_path / "program.json").write_text(stale.model_dump_json())
    assert not stop_recorded(tmp_path / "program.json")
    assert other.poll() is None
    other.kill()
    other.wait()
