"""`recon_worker.attempt.execution` and what is around it, so changed that it runs one step at a time, in threads of one process.

Only what a process has of its own is exchanged: its settings, clock, signals, threads and computation. How an attempt is
claimed, kept, ended, recorded and reported after a crash is the worker's own code.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self

import pytest

from recon_api.payload import ClaimOwner
from recon_operator.observe import observer as observe
from recon_worker.attempt import attempt_result, execution, lease, process_resources
from recon_worker.attempt import claim as claiming
from recon_worker.attempt.claim import claim as claim_of_worker
from recon_worker.attempt.execution import AttemptExecution
from recon_worker.attempt.lease import Lease
from recon_worker.attempt.progress_reporter import ProgressReporter
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.supervisor import stuck_attempts
from tests.support.races import real_disk
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


class QuietReporter(ProgressReporter):
    """Progress that is sent to nobody."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""


def claim(redis: GatedRedis, uid: str, attempt: int, owner: ClaimOwner) -> None:
    """Take an attempt, and look whether that was forbidden before."""
    stopped = Active.world.checks.is_stopped(uid)
    claim_of_worker(redis, uid, attempt, owner)
    if stopped:
        Active.world.checks.disobeys(uid, attempt)


@contextmanager
def known_to_main_process(execution: AttemptExecution) -> Iterator[None]:
    """Let the worker's main process know what runs here."""
    here = process()
    here.running = execution.running_attempt(here.number)
    yield
    here.running = None


def reconstruct(execution: AttemptExecution) -> PublishedResult:
    """Compute."""
    here = process()
    here.note_start(execution.payload)
    try:
        return Active.world.disk.run(execution.payload, execution.lease.fence, execution.progress)
    finally:
        here.computes = False


EXCHANGED: tuple[tuple[Any, str, Any], ...] = (
    (process_resources, "redis", lambda: process().worker.redis),
    (process_resources, "storage", lambda: Active.world.disk.storage),
    (claiming, "claim", claim),
    (claiming, "time", WorldTime()),
    (execution, "new_owner", lambda _: process().worker.new_owner()),
    (execution, "worker_settings", lambda: process().worker.settings),
    (execution, "handled_signals", lambda *_: nullcontext()),
    (execution, "Lease", SteppedLease),
    (execution, "StopOrder", SteppedStop),
    (execution, "ProgressReporter", QuietReporter),
    (execution, "time", WorldTime()),
    (execution, "datetime", WorldTime()),
    (AttemptExecution, "_reconstruct", reconstruct),
    (AttemptExecution, "_known_to_main_process", known_to_main_process),
    (lease, "time", WorldTime()),
    (attempt_result, "datetime", WorldTime()),
    (stuck_attempts, "time", WorldTime()),
    (observe, "time", WorldTime()),
    (stuck_attempts, "running_attempts", lambda worker: worker.running()),
    (stuck_attempts, "kill", lambda pid, _: Active.world.kill(pid)),
    *real_disk.QUICK,
)


def exchange(patch: pytest.MonkeyPatch) -> None:
    """Exchange all of it for as long as the patch lasts."""
    for module, name, stand_in in EXCHANGED:
        patch.setattr(module, name, stand_in)
