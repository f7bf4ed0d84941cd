"""One process of the local cluster: started, found ready, stopped; and recognised again by others by PID and start time."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from recon_dev.errors import DevError
from recon_dev.state import write_private

POLL_S = 0.05
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class Component:
    """What to run, and how to know that it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[], bool]
    """Says whether it serves; asked again and again, so it must answer within a second or two and not raise."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment of the process."""
    prepare: Callable[[], None] = _nothing
    """Runs before each start. Raises DevError where that has to be tried again later."""
    when_ready: Callable[[], None] = _nothing
    """Runs each time that it has become ready. Raises DevError."""
    cwd: Path | None = None
    ready_within_s: float = 60.0
    stop_within_s: float = 15.0
    """How long it may take to leave after SIGTERM; then its process group is killed."""
    awaited: bool = True
    """Whether a cluster is up only once this is ready."""


class ProcessIdentity(BaseModel):
    """A process that can be told from a later one with the same PID."""

    model_config = ConfigDict(frozen=True)

    pid: int
    create_time: float
    """Seconds since the epoch, as psutil reads it."""

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """Return the identity of a running process."""
        return cls(pid=pid, create_time=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Return the process while it lives, and nothing once it is gone or its PID is another's."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.create_time) < 1.0
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class RunningProcess:
    """A child process of this one that runs a component; it ends with its parent."""

    def __init__(self, component: Component, *, log: Path, record: Path) -> None:
        """Prepare and start the component, its output appended to `log`, its identity kept in `record` while it runs."""
        self.component, self.log, self._record = component, log, record
        component.prepare()
        self.started_at = time.monotonic()
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                list(component.command),
                env=dict(component.env),
                cwd=component.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - a single system call
            )
        self.identity = ProcessIdentity.of(self._child.pid)
        write_private(record, self.identity.model_dump_json())

    @property
    def pid(self) -> int:
        """The process's PID."""
        return self._child.pid

    def exit_code(self) -> int | None:
        """Return how it ended, negative for a signal, or nothing while it runs."""
        code = self._child.poll()
        if code is not None:
            self._forget()
        return code

    def wait_ready(self, check: Callable[[], None] = _nothing) -> None:
        """Wait until the component is ready; `check` runs all the while. Raises DevError where it ends or takes too long."""
        while not self.component.ready():
            check()
            if (code := self.exit_code()) is not None:
                raise DevError(f"{self.component.name} ended with {describe_exit(code)}\n{self.last_lines()}")
            if time.monotonic() - self.started_at > self.component.ready_within_s:
                limit = f"{self.component.ready_within_s:.0f} s"
                raise DevError(f"{self.component.name} was not ready after {limit}\n{self.last_lines()}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End the process and all of its process group, kindly first."""
        with suppress(ProcessLookupError):
            self._child.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(self.component.stop_within_s)
        self.kill()

    def kill(self) -> None:
        """End the process and all of its process group at once."""
        kill_group(self.pid)
        self._child.wait()
        self._forget()

    def last_lines(self, count: int = 8) -> str:
        """Return the end of its log, indented, and where the log is."""
        text = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join([*(f"    {line[:300]}" for line in text), f"The whole log: {self.log}"])

    def _forget(self) -> None:
        kill_group(self.pid)  # children of a process that died
        self._record.unlink(missing_ok=True)


def stop_recorded(record: Path, *, within_s: float = 15.0) -> bool:
    """End the process group that a record names, if that very process still runs. Returns whether there was one."""
    try:
        found = ProcessIdentity.model_validate_json(record.read_text()).process()
    except (FileNotFoundError, ValueError):
        found = None
    if found:
        with suppress(psutil.NoSuchProcess):
            found.terminate()
            psutil.wait_procs([found], timeout=within_s)
        kill_group(found.pid)
        psutil.wait_procs([found], timeout=within_s)
    record.unlink(missing_ok=True)
    return found is not None


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that the process with this PID leads or led."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def describe_exit(code: int) -> str:
    """Return `exit code 3` or `signal SIGKILL`."""
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _end_with_parent() -> None:
    """Ask the kernel, in the new process, for SIGTERM when its parent dies, however that happens (Linux)."""
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
