"""`recon_worker.task` and what is around it, so changed that it runs one step at a time, in threads of one process.

Only what a process has of its own is exchanged: its settings, clock, signals, threads and computation. How an attempt is
claimed, kept, ended, recorded and buried is the worker's own code.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from recon_api.payload import ClaimOwner, TaskPayload
from recon_operator.observe import observer as observe
from recon_worker import task
from recon_worker.attempt import attempt_result as outcome
from recon_worker.attempt import lease
from recon_worker.attempt.lease import Lease
from recon_worker.attempt.progress_reporter import ProgressFeed
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.publishing.destinations import destination_of
from recon_worker.publishing.published_result import Finished, finished
from recon_worker.publishing.seal import Manifest
from recon_worker.supervisor import main_process as worker
from recon_worker.supervisor import stuck_attempts as overstay
from recon_worker.supervisor.crash_watch import RunningAttempt
from tests.support.races import real_disk
from tests.support.races.disk import MemoryDisk
from tests.support.races.gated_redis import GatedRedis
from tests.support.races.steps import current, pause

if TYPE_CHECKING:
    from tests.support.races.workers import Process
    from tests.support.races.world import World


class Active:
    """The world that is looked at; there is one at a time."""

    world: "World"


class WorldTime:
    """The module `time`, or the class `datetime`, of the world that is looked at."""

    def __getattr__(self, name: str) -> Any:
        return getattr(Active.world.clock, name)


def process() -> "Process":
    """Return the process that runs here."""
    found: Process = current()["process"]
    return found


class SteppedLease(Lease):
    """A lease without a thread: the world says when it beats."""

    def __init__(self, *arguments: Any, **limits: Any) -> None:
        super().__init__(*arguments, **limits)
        self._process = process()
        self._process.lease = self

    def __enter__(self) -> Self:
        return self

    def fence(self) -> None:
        """Do the same, and note that it let the attempt through."""
        super().fence()
        self._process.note_fence()

    def _beat(self) -> bool:
        stopped = Active.world.checks.is_stopped(self._uid)
        confirmed = super()._beat()
        self._process.note_beat()
        if stopped and confirmed:
            Active.world.checks.disobeys(self._uid, self._attempt)
        return confirmed


class SteppedStop(StopOrder):
    """An order to stop that is waited for without real time."""

    def __init__(self) -> None:
        super().__init__()
        process().stop = self

    def wait(self, timeout_s: float) -> None:
        """Let others go on."""
        pause("waits")


class QuietFeed(ProgressFeed):
    """Progress that is told to nobody."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def claim(redis: GatedRedis, uid: str, attempt: int, owner: ClaimOwner) -> None:
    """Take an attempt, and look whether that was forbidden before."""
    stopped = Active.world.checks.is_stopped(uid)
    lease.claim(redis, uid, attempt, owner)
    if stopped:
        Active.world.checks.disobeys(uid, attempt)


def new_owner() -> ClaimOwner:
    """Return who claims an attempt."""
    return process().worker.new_owner()


@contextmanager
def noticed_when_dead(payload: TaskPayload, owner: ClaimOwner, started_at: datetime) -> Iterator[None]:
    """Let the worker's main process know what runs here."""
    here = process()
    output = destination_of(payload, Active.world.disk.storage)
    here.running = RunningAttempt(
        uid=payload.job_id, attempt=payload.attempt, pid=here.number, owner=owner, started_at=started_at, output=output
    )
    yield
    here.running = None


def run(payload: TaskPayload, lease: Lease, feed: ProgressFeed) -> Finished:
    """Compute."""
    here = process()
    here.note_start(payload)
    try:
        return Active.world.disk.run(payload, lease.fence, feed)
    finally:
        here.computes = False


def manifest(folder: Path, uid: str) -> Manifest | None:
    """Return what a job has published."""
    return Active.world.disk.manifest(folder, uid)


def what_is_finished(folder: Path, found: Manifest) -> Finished:
    """Return what a published result says of itself."""
    if isinstance(Active.world.disk, MemoryDisk):
        return Finished(outputs=(), steps=(), metrics=())
    return finished(folder, found)


EXCHANGED: tuple[tuple[Any, str, Any], ...] = (
    (task, "_redis", lambda: process().worker.redis),
    (task, "_owner", new_owner),
    (task, "claim", claim),
    (task, "_storage", lambda: Active.world.disk.storage),
    (task, "worker_settings", lambda: process().worker.settings),
    (task, "_run", run),
    (task, "_signals_heeded", lambda *_: nullcontext()),
    (task, "_noticed_when_dead", noticed_when_dead),
    (task, "Lease", SteppedLease),
    (task, "StopOrder", SteppedStop),
    (task, "ProgressFeed", QuietFeed),
    (task, "time", WorldTime()),
    (task, "datetime", WorldTime()),
    (lease, "time", WorldTime()),
    (outcome, "datetime", WorldTime()),
    (overstay, "time", WorldTime()),
    (observe, "time", WorldTime()),
    (overstay, "running_attempts", lambda worker: worker.running()),
    (overstay, "kill", lambda pid, _: Active.world.kill(pid)),
    (worker, "published", manifest),
    (worker, "finished", what_is_finished),
    *real_disk.QUICK,
)


def exchange(patch: pytest.MonkeyPatch) -> None:
    """Exchange all of it for as long as the patch lasts."""
    for module, name, stand_in in EXCHANGED:
        patch.setattr(module, name, stand_in)
