"""Bringing a local cluster up, in the foreground or behind it, and down again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType

import psutil

from recon_dev.binaries import find_binaries
from recon_dev.cluster import Options, components
from recon_dev.console import say
from recon_dev.errors import DevError
from recon_dev.processes import stop_recorded
from recon_dev.state import StateDir
from recon_dev.status import SupervisorLock
from recon_dev.supervisor import Report, Supervisor

STOP_WITHIN_S = 120.0
UP_LINE = "up"
"""Last line from a supervisor in the background once all is ready."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):  # noqa: N818 - not an error
    """A signal asked to stop."""


def up_in_foreground(state: StateDir, options: Options) -> None:
    """Bring the cluster up, keep it up until a signal or Ctrl-C, then bring it down. Raises DevError, `Stopped`."""
    prepare(state)
    supervise(state, options, say, when_up=lambda: say("\nThe cluster is up; Ctrl-C stops it.\n" + describe(state)))


def up_in_background(state: StateDir, options: Options) -> None:
    """Bring the cluster up and leave it to a supervisor in the background. Raises DevError where it does not come up."""
    prepare(state)
    command = [sys.executable, "-m", "recon_dev", "supervise", f"--state-dir={state.root}", *options.arguments()]
    reader, writer = os.pipe()
    with state.log("supervisor").open("ab") as log:
        process = subprocess.Popen(
            [*command, f"--report-fd={writer}"],
            pass_fds=[writer],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    os.close(writer)
    try:
        _follow(process, reader, state)
    except BaseException:
        process.terminate()
        process.wait()
        raise


def _follow(process: "subprocess.Popen[bytes]", reader: int, state: StateDir) -> None:
    lines: list[str] = []
    with os.fdopen(reader) as report:
        for line in report:
            lines.append(line.rstrip("\n"))
            if lines[-1] == UP_LINE:
                return
            say(lines[-1])
    process.wait()
    raise DevError(f"the cluster did not come up\nThe supervisor's log: {state.log('supervisor')}")


def prepare(state: StateDir) -> None:
    """Make ready for a supervisor: build what is missing, make the folder, end what a crashed one left behind."""
    if find_binaries().kube_controller_manager is None:
        say(
            "No kube-controller-manager in KUBEBUILDER_ASSETS: a namespace that is deleted stays, and so does what is in it."
        )
    state.make()
    if not SupervisorLock(state).held():
        stop_leftovers(state)


def supervise(state: StateDir, options: Options, report: Report, *, when_up: Callable[[], None]) -> None:
    """Be the supervisor: start all, keep it running until a signal or the end of the parent, then stop all.

    Raises DevError where the cluster does not come up, `Stopped` where a signal came before it did.
    """
    lock, log = SupervisorLock(state), _logged(state, report)
    lock.acquire()
    stopping = _StopSignal(options.parent_pid)
    try:
        settings = state.settle()
        supervisor = Supervisor(components(state, settings, find_binaries(), options), state, log)
        supervisor.up(stopping.check)
        when_up()
        supervisor.watch(stopping)
        supervisor.down()
    finally:
        lock.release()


class _StopSignal:
    """Whether a signal, or the end of a parent, asks to stop."""

    def __init__(self, parent_pid: int | None) -> None:
        self._received = False
        self._parent = psutil.Process(parent_pid) if parent_pid else None
        for number in STOP_SIGNALS:
            signal.signal(number, self._note)

    def __call__(self) -> bool:
        return self._received or (self._parent is not None and not self._parent.is_running())

    def check(self) -> None:
        if self():
            raise Stopped

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._received = True


def _logged(state: StateDir, report: Report) -> Report:
    def both(line: str) -> None:
        with state.log("supervisor").open("a") as log:
            log.write(f"{datetime.now().astimezone().isoformat(timespec='milliseconds')} {line}\n")
        report(line)

    return both


def down(state: StateDir) -> bool:
    """Stop all that runs of a cluster, also what a crashed supervisor left. Returns whether there was anything."""
    lock = SupervisorLock(state)
    deadline = time.monotonic() + STOP_WITHIN_S
    had_supervisor = lock.held()
    if had_supervisor and (holder := lock.holder()) and (process := holder.process()):
        process.terminate()
        _, alive = psutil.wait_procs([process], timeout=max(0.0, deadline - time.monotonic()))
        for each in alive:
            each.kill()
    return stop_leftovers(state) or had_supervisor


def stop_leftovers(state: StateDir) -> bool:
    """Stop what a crashed supervisor left running. Returns whether there was anything."""
    state.status.unlink(missing_ok=True)
    records = sorted(state.run.glob("*.json"), key=_start_order, reverse=True)
    stopped = [stop_recorded(record) for record in records]
    return any(stopped)


def _start_order(record: Path) -> float:
    return record.stat().st_mtime


def describe(state: StateDir) -> str:
    """Return where everything of a running cluster is."""
    return "\n".join(
        (
            f"  export KUBECONFIG={state.kubeconfig}",
            f"  storage  {state.storage} (photos go to inputs/<namespace>/)",
            f"  logs     {state.logs}",
        )
    )
