"""Following a job until it has ended: a live line on a terminal, plain lines elsewhere."""

import json
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from recon_api.status import Phase, ReconstructionJobStatus
from recon_dev.console import console, say
from recon_dev.errors import DevError
from recon_dev.kubectl import Kubectl

PLAIN_STEP_PERCENT = 10
"""Without a terminal, a line is printed for each new phase, step, worker and attempt, and every so many percent."""


class View(Protocol):
    """Shows where a job is."""

    def show(self, status: ReconstructionJobStatus) -> None:
        """Show the status as it is now."""


def follow(kubectl: Kubectl, name: str, namespace: str, *, limit_s: float) -> ReconstructionJobStatus:
    """Show a job until it has ended and return its last status. Raises DevError where it is gone or takes too long."""
    with _view() as view:
        for status in _statuses(kubectl, name, namespace, limit_s):
            view.show(status)
            if status.phase.finished:
                return status
    raise DevError(f"{name} has not ended after {limit_s:.0f} s")


def _statuses(kubectl: Kubectl, name: str, namespace: str, limit_s: float) -> Iterator[ReconstructionJobStatus]:
    """Yield each status of the job, watching again whenever a watch ends, as it does when the API server restarts."""
    deadline = time.monotonic() + limit_s
    while (left := deadline - time.monotonic()) > 0:
        if "NotFound" in kubectl.run("get", "rj", name, "-n", namespace, "-o", "name").stderr:
            raise DevError(f"the job {name} is gone")
        arguments = ["get", "rj", name, "-n", namespace, "-w", "-o", "json", f"--request-timeout={left:.0f}s"]
        process = subprocess.Popen(
            [*kubectl.command, *arguments],
            env=kubectl.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            for job in documents(process.stdout or ()):
                yield ReconstructionJobStatus.model_validate(job.get("status", {}))
        finally:
            process.kill()
            process.wait()


def documents(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the objects that kubectl prints one after the other; each ends with a brace at a line's very beginning."""
    text: list[str] = []
    for line in lines:
        text.append(line)
        if line.startswith("}"):
            yield json.loads("".join(text))
            text.clear()


@contextmanager
def _view() -> Iterator[View]:
    if not console.is_terminal:
        yield PlainView()
        return
    columns = (
        BarColumn(bar_width=16),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console) as progress:
        yield LiveView(progress)


class LiveView:
    """One line that is drawn again and again."""

    def __init__(self, progress: Progress) -> None:
        """Draw with rich's progress bar."""
        self._progress = progress
        self._task = progress.add_task("waiting for the operator", total=100)

    def show(self, status: ReconstructionJobStatus) -> None:
        """Draw the status."""
        percentage = 100 if status.phase is Phase.SUCCEEDED else percentage_of(status)
        self._progress.update(self._task, completed=percentage, description=" · ".join(details(status)))


class PlainView:
    """A line for each change that matters."""

    def __init__(self) -> None:
        """Begin with the clock at 0 s."""
        self._start = time.monotonic()
        self._last: tuple[object, ...] = ()

    def show(self, status: ReconstructionJobStatus) -> None:
        """Print a line where something has changed."""
        step = status.progress.step if status.progress else ""
        key = (status.phase, step, status.execution_attempts, percentage_of(status) // PLAIN_STEP_PERCENT)
        if key != self._last:
            self._last = key
            seconds = time.monotonic() - self._start
            say(f"  {seconds:5.1f} s  {percentage_of(status):3d} %  {' · '.join(details(status))}")


def percentage_of(status: ReconstructionJobStatus) -> int:
    """Return how far the job is, in percent."""
    return status.progress.percentage if status.progress else 0


def details(status: ReconstructionJobStatus) -> list[str]:
    """Return what there is to say beside the percentage, most important first."""
    progress = status.progress
    parts = [status.phase.value]
    if status.phase is Phase.RUNNING and progress:
        parts = [progress.step or status.phase.value]
        left = progress.estimated_remaining_seconds
        parts += [f"{left} s left"] if left is not None else []
    if status.phase is Phase.QUEUED and status.queue and status.queue.position:
        parts.append(f"{status.queue.position}. in the queue")
    if status.worker and status.phase in (Phase.RUNNING, Phase.CANCELLING):
        parts.append(status.worker.name)
    if status.execution_attempts > 1:
        parts.append(f"attempt {status.execution_attempts}")
    return parts
