"""The peer of a cancelled job: a reconstruction in a plain process that gets SIGTERM, as the pod of a deleted Job does."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.moments import step_at
from recon_api.steps import Step

GRACE_S = 30.0
"""After which Kubernetes sends SIGKILL by default."""

LINE = re.compile(r"^ *\d+% (?P<step>.+)$")
"""What `python -m recon_worker reconstruct` prints when a step begins."""

TIMEOUT_S = 600.0


@dataclass
class PlainRun:
    """One run: the reconstruction of a folder of photos by a process that does nothing else."""

    photos: Path
    out: Path
    parameters: Mapping[str, object]
    work: Path
    """Its finished steps, those that it finds and those that it leaves."""
    begins: dict[Step, float] = field(default_factory=dict)
    """When each step began; seconds since the epoch."""

    def __post_init__(self) -> None:
        """Start the process."""
        shutil.rmtree(self.out.parent, ignore_errors=True)
        self.out.parent.mkdir(parents=True)
        parameters = [f"--param={key}={value}" for key, value in self.parameters.items()]
        options = [f"--work={self.work}", *parameters]
        self.started = time.time()
        self._begun = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recon_worker", "reconstruct", str(self.photos), str(self.out), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def finish(self) -> float:
        """Let it come to its end; return when that was. Raises RuntimeError where it failed."""
        code = self._process.wait(TIMEOUT_S)
        ended = time.time()
        self._reader.join()
        if code != 0:
            raise RuntimeError(f"the plain process exited with {code}")
        return ended

    def stop_at(self, step: Step, offset_s: float) -> "Stopped":
        """Send SIGTERM so long after the begin of a step; return how long the process took to be gone, and what it left."""
        with self._begun:
            begun = self._begun.wait_for(lambda: step in self.begins, TIMEOUT_S)
        if begun:
            time.sleep(max(0.0, self.begins[step] + offset_s - time.time()))
        family = psutil.Process(self._process.pid).children(recursive=True) if self._process.poll() is None else []
        sent = time.time()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_S)
            killed = False
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            killed = True
        gone = time.time()
        self._reader.join()
        return Stopped(
            step=step_at(self.begins, sent),
            took_s=gone - sent,
            finished=self.out.exists(),
            killed=killed,
            left_files=len([path for path in self.out.parent.iterdir() if path != self.out])
            + len(list(self.work.rglob("*.tmp"))),
            left_processes=sum(process.is_running() for process in family),
        )

    def _read(self) -> None:
        if self._process.stderr is None:  # it is a pipe: see above
            raise AssertionError
        for line in self._process.stderr:
            if (found := LINE.match(line)) and found["step"] in tuple(Step):
                with self._begun:
                    self.begins.setdefault(Step(found["step"]), time.time())
                    self._begun.notify_all()


@dataclass(frozen=True)
class Stopped:
    """How a plain process ended that got SIGTERM."""

    step: Step | None
    took_s: float
    finished: bool
    """It was quicker than the signal."""
    killed: bool
    """It had not gone after the grace time."""
    left_files: int
    left_processes: int
