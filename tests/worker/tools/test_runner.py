"""Tools run as real processes: what comes back, and that nothing of them stays."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, ReconstructionError, TransientError, UsageError
from recon_api.steps import Step
from recon_worker.progress import Progress, SilentSink
from recon_worker.tools.runner import run_tool

pytestmark = pytest.mark.slow

PREAMBLE = """
import ctypes, os, signal, subprocess, sys, time
from pydantic import BaseModel
from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.tools.tool import main, report_fraction, report_metric
class Request(BaseModel):
    number: int
"""


class Request(BaseModel):
    number: int = 7


class RecordingSink(SilentSink):
    """Remembers what it was shown; stops the work once `stop` is set."""

    def __init__(self) -> None:
        self.percentages: list[float] = []
        self.metrics: dict[str, str | int] = {}
        self.stop = threading.Event()

    def show(self, step: Step, percentage: float) -> None:
        self.percentages.append(percentage)

    def show_metric(self, name: str, value: str | int) -> None:
        self.metrics[name] = value

    def raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise JobCancelled(reasons.CANCELLED, "stopped by the test")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that is the tool `example` for this process's children."""
    package = tmp_path / "overlay" / "sitecustomize.py"
    package.parent.mkdir()
    folder = tmp_path / "extra_tools"
    folder.mkdir()
    package.write_text(f"import recon_worker.tools as t\nt.__path__.append({str(folder)!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)
    return folder / "example.py"


def write(tool: Path, body: str) -> None:
    run = "def run(request):\n" + textwrap.indent(textwrap.dedent(body), "    ")
    tool.write_text(PREAMBLE + run + "\nif __name__ == '__main__':\n    main(Request, run)\n")


def progress_of(sink: RecordingSink) -> Progress:
    return Progress.of_step(sink, Step.RECONSTRUCTION)


def test_a_tool_reports_fractions_metrics_and_figures_whatever_its_libraries_print(tool: Path, tmp_path: Path) -> None:
    sink = RecordingSink()
    write(
        tool,
        """
        os.write(1, b"native code prints here")
        print("and so does Python")
        report_fraction(0.5)
        report_metric("photos", "12")
        return {"double": request.number * 2}
        """,
    )
    assert run_tool("example", Request(number=21), tmp_path, progress_of(sink)) == {"double": 42}
    assert sink.percentages == [40.0]
    assert sink.metrics == {"photos": "12"}
    assert "native code" in (tmp_path / ".example.log").read_text()


@pytest.mark.parametrize(
    ("body", "kind", "reason", "message"),
    [
        pytest.param(
            "raise UsageError(reasons.INSUFFICIENT_OVERLAP, 'only 2 of 9')",
            UsageError,
            reasons.INSUFFICIENT_OVERLAP,
            "only 2 of 9",
            id="a documented error arrives as it is",
        ),
        pytest.param(
            "raise ValueError('no such camera')",
            FatalError,
            reasons.RECONSTRUCTION_FAILED,
            "ValueError: no such camera",
            id="an unknown exception is fatal",
        ),
        pytest.param(
            "raise MemoryError",
            TransientError,
            reasons.OUT_OF_MEMORY,
            "the tool ran out of memory",
            id="memory that runs out may be tried again",
        ),
        pytest.param(
            "print('the last words', file=sys.stderr, flush=True); ctypes.string_at(0)",
            FatalError,
            reasons.RECONSTRUCTION_FAILED,
            "example was ended by SIGSEGV: the last words",
            id="a segmentation fault names the signal and the last words",
        ),
        pytest.param(
            "os._exit(3)",
            FatalError,
            reasons.RECONSTRUCTION_FAILED,
            "example exited with 3",
            id="an exit without a report names its code",
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            TransientError,
            reasons.OUT_OF_MEMORY,
            "example was killed by the system",
            id="a kill that is not ours is taken for the out-of-memory killer's",
        ),
    ],
)
def test_how_a_tool_fails(
    tool: Path, tmp_path: Path, body: str, kind: type[ReconstructionError], reason: reasons.Reason, message: str
) -> None:
    write(tool, body)
    with pytest.raises(kind) as caught:
        run_tool("example", Request(), tmp_path, progress_of(RecordingSink()))
    assert caught.value.reason == reason
    assert caught.value.message.startswith(message)


def test_a_stopped_tool_and_what_it_started_are_gone(tool: Path, tmp_path: Path) -> None:
    sink = RecordingSink()
    write(
        tool,
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "600"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        report_fraction(0.1)
        while True:
            pass
        """,
    )

    def stop_once_it_runs() -> None:
        until(lambda: bool(sink.percentages))
        sink.stop.set()

    threading.Thread(target=stop_once_it_runs, daemon=True).start()
    with pytest.raises(JobCancelled):
        run_tool("example", Request(), tmp_path, progress_of(sink))
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    until(lambda: not any(running(pid) for pid in pids))


def test_a_tool_that_leaves_a_process_behind_still_ends(tool: Path, tmp_path: Path) -> None:
    write(tool, "return {'left': subprocess.Popen(['sleep', '600']).pid}")
    left = run_tool("example", Request(), tmp_path, progress_of(RecordingSink()))["left"]
    until(lambda: not running(left))


@pytest.mark.parametrize(
    ("stuck", "killed"),
    [
        pytest.param("time.sleep(600)", "parent", id="in Python"),
        pytest.param("ctypes.PyDLL(None).sleep(600)", "parent", id="in native code that keeps Python's lock"),
        pytest.param("signal.pause()", "parent and tool", id="and what the tool started outlives the tool"),
    ],
)
def test_a_tool_and_what_it_started_die_with_the_process_that_runs_it(
    tool: Path, tmp_path: Path, stuck: str, killed: str
) -> None:
    pids_file = tmp_path / "pids"
    write(
        tool,
        f"""
        child = subprocess.Popen(["sleep", "600"])
        open({str(pids_file)!r}, "w").write(f"{{os.getpid()}} {{child.pid}} ")
        {stuck}
        """,
    )
    code = f"""
        from pathlib import Path
        from pydantic import BaseModel
        from recon_worker.progress import Progress, SilentSink
        from recon_worker.tools.runner import run_tool
        class Request(BaseModel):
            number: int = 1
        run_tool("example", Request(), Path({str(tmp_path)!r}), Progress.silent())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    until(lambda: pids_file.exists() and pids_file.read_text().endswith(" "))
    pids = [int(pid) for pid in pids_file.read_text().split()]
    started = psutil.Process(parent.pid).children(recursive=True)
    assert set(pids) <= {process.pid for process in started}
    if killed == "parent and tool":
        os.kill(parent.pid, signal.SIGSTOP)
        os.kill(pids[0], signal.SIGKILL)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: not any(running(process.pid) for process in started))


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)
