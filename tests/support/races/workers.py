"""Workers: a main process that is known in Redis, and a child that runs one message at a time."""

import itertools
import threading
import uuid
from contextlib import suppress
from enum import Enum
from types import SimpleNamespace
from typing import Any, Protocol

from celery.exceptions import Ignore
from redis.connection import ConnectionPool

from recon_api import reasons
from recon_api.errors import ReconstructionError
from recon_api.payload import ClaimOwner, TaskPayload, WorkerDescription
from recon_worker import task
from recon_worker.attempt.lease import Lease
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.attempt.running_attempt import RunningAttempt
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.settings import WorkerSettings
from recon_worker.storage.storage import Storage
from recon_worker.supervisor.crash_report import CrashReporter
from recon_worker.supervisor.registration import Registration
from recon_worker.supervisor.stuck_attempts import Watchdog
from tests.support.races.broker import Message
from tests.support.races.clock import Clock
from tests.support.races.disk import Disk
from tests.support.races.gated_redis import GatedRedis
from tests.support.races.steps import Steps, pause

_numbers = itertools.count(1)


WAITS_FOR_REDIS = "waits for Redis"
"""Where a crash report stands that Redis did not take."""


class Revival(Enum):
    """How a process came to life again that was believed dead. There is nothing to be said against it for a while."""

    UNSEEN = "since the operator has looked"
    VISIBLE = "and the operator looks now"


class Surroundings(Protocol):
    """What a worker needs of its world."""

    clock: Clock
    disk: Disk

    def note_start(self, process: "Process") -> None:
        """An attempt begins to compute."""

    def note_fence(self, process: "Process") -> None:
        """An attempt may publish."""

    def note_state(self, uid: str, attempt: int, state: str) -> None:
        """Celery has stored the state of a task."""


class Process:
    """A worker's child, with one message."""

    def __init__(self, worker: "Worker", message: Message) -> None:
        self.worker, self.message, self.number = worker, message, next(_numbers)
        self.lease: Lease | None = None
        self.stop: StopOrder | None = None
        self.running: RunningAttempt | None = None
        """What the main process knows of it."""
        self.payload: TaskPayload | None = None
        """What it computes, once it has claimed it."""
        self.fenced_at: float | None = None
        """When it was last told that it may publish."""
        self.last_beat = worker.world.clock.steady()
        """When it last looked whether it may go on."""
        self.revival: Revival | None = None
        self.alive = True
        self.computes = False
        self.has_all = False
        """Whether it has finished the last step."""
        self.body = Steps(self._work, process=self)
        self.beat: Steps | None = None

    @property
    def at(self) -> str:
        """Where it stands."""
        return self.body.at

    @property
    def is_waiting(self) -> bool:
        """Whether going on does nothing until something else happens."""
        return self.beat is None and self.body.at in {"waits", "sleeps", "hangs"}

    @property
    def is_reporting(self) -> bool:
        """Whether it has nothing left to compute, and is not done with publishing and reporting."""
        return self.payload is not None and not self.ended and (self.has_all or not self.computes)

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, or was killed."""
        return self.body.ended or not self.alive

    def advance(self) -> None:
        """Go on to the next pause; a beat that is under way goes first."""
        if self.beat is not None:
            self.beat.advance()
            self.beat = None if self.beat.ended else self.beat
            return
        with suppress(Ignore, ReconstructionError):  # as the task raises them to Celery
            self.body.advance()
        if self.body.ended and self.payload is not None:
            self.worker.world.note_state(self.payload.job_id, self.payload.attempt, "SUCCESS")

    def begin_beat(self) -> None:
        """Have the lease's thread look at the flags and renew the lease, one step at a time."""
        if self.may_beat:
            self.beat = Steps(self.beat_now, process=self)

    @property
    def may_beat(self) -> bool:
        """Whether the lease's thread is free to beat."""
        kept = self.lease is not None and not self.lease._ended and not self.lease._lock.locked()
        return kept and not self.ended and self.beat is None

    def beat_now(self) -> None:
        """Do what the lease's thread does at a beat."""
        if self.lease is None:
            return
        try:
            self.lease._beat()
        except UNREACHABLE:
            self.lease._check_contact()

    def note_start(self, payload: TaskPayload) -> None:
        """Note that it computes from now on."""
        self.payload, self.computes = payload, True
        self.worker.world.note_state(payload.job_id, payload.attempt, "STARTED")
        self.worker.world.note_start(self)

    def note_beat(self) -> None:
        """Note that it shows that it is alive."""
        now = self.worker.world.clock.steady()
        if now - self.last_beat >= self.worker.settings.lease_ttl_s:
            self.revival = Revival.UNSEEN
        self.last_beat = now

    def note_fence(self) -> None:
        """Note that it was told that it may publish."""
        self.worker.world.note_fence(self)

    def die(self) -> None:
        """End it where it stands."""
        self.alive = self.computes = False

    def clear_away(self) -> None:
        """End its threads."""
        for steps in (self.beat, self.body):
            if steps is not None:
                steps.clear_away()

    def _work(self) -> None:
        if self.message.is_discard:
            task.discard.run(**self.message.arguments)
            return
        payload = task._payload(self.message.id, **self.message.arguments)
        task._process(SimpleNamespace(request=SimpleNamespace(id=self.message.id)), payload)


class Worker:
    """A worker under one name, over all of its starts."""

    def __init__(self, world: Surroundings, pool: ConnectionPool, name: str, settings: WorkerSettings) -> None:
        self.world, self.name, self.settings = world, name, settings
        self.redis = GatedRedis(pool, lambda: self.cut_off)
        self.alive = self.frozen = self.cut_off = self.leaving = False
        self.process: Process | None = None
        self.crash_report: Steps | None = None
        """What the main process does about a child that died."""
        self.graveyard: list[Process] = []
        self.boots = 0
        self.start()

    @property
    def is_free(self) -> bool:
        """Whether it takes messages."""
        return self.acts and not self.leaving and self.process is None and self.crash_report is None

    @property
    def is_busy(self) -> bool:
        """Whether it has something to do now."""
        reports = self.crash_report is not None and not self._report_waits
        return self.acts and (reports or (self.process is not None and not self.process.is_waiting))

    @property
    def _report_waits(self) -> bool:
        """Whether a crash report waits for Redis: it tries again as time passes, and not before."""
        return self.crash_report is not None and self.crash_report.at == WAITS_FOR_REDIS

    @property
    def acts(self) -> bool:
        """Whether it does anything at all."""
        return self.alive and not self.frozen

    def start(self) -> None:
        """Start, or start again as another process of the same name."""
        self.boots += 1
        self.boot_id = f"{self.name}-boot-{self.boots}"
        self.alive, self.frozen, self.leaving = True, False, False
        self.main = Main(self.redis, self.world.disk.storage, self.settings, self)
        self._registration = Registration(
            self.redis,
            WorkerDescription(name=self.name, boot_id=self.boot_id),
            liveness_file=None,
            ttl_s=self.settings.lease_ttl_s,
            beat_s=self.settings.lease_beat_s,
        )
        self.register()

    def register(self) -> None:
        """Renew what Redis knows of it, if it acts."""
        if self.acts:
            with suppress(*UNREACHABLE):
                self._registration._register(announce=False)

    def running(self) -> list[RunningAttempt]:
        """Return what the child runs, as far as the main process knows."""
        return [self.process.running] if self.process is not None and self.process.running is not None else []

    def new_owner(self) -> ClaimOwner:
        """Return who claims an attempt for it, as `recon_worker.attempt.execution` does."""
        return ClaimOwner(worker=self.name, boot_id=self.boot_id, nonce=uuid.uuid4().hex)

    def take(self, message: Message) -> None:
        """Have the child run a message."""
        self.process = Process(self, message)

    def advance(self) -> None:
        """Let the child go on, or the crash report of the last one."""
        if self.crash_report is not None and not (self._report_waits and self.process is not None):
            self._advance_crash_report()
        elif self.process is not None:
            self.process.advance()
            if self.process.ended:
                self.process = None

    def _advance_crash_report(self) -> None:
        if self.crash_report is not None:
            self.crash_report.advance()
            self.crash_report = None if self.crash_report.ended else self.crash_report

    def beat(self) -> None:
        """Do at once what the threads of its processes do at every beat."""
        if not self.acts:
            return
        if self._report_waits:
            self._advance_crash_report()
        if self.process is not None and self.process.may_beat:
            self.process.beat_now()
        self.main.check_watchdog()

    def kill_child(self) -> None:
        """Kill the child; the main process notices."""
        process, self.process = self.process, None
        if process is None:
            return
        process.die()
        self.graveyard.append(process)
        if (dead := process.running) is not None:
            self.crash_report = Steps(lambda: self._report_crash(dead))

    def die(self) -> None:
        """End, child and all, as when the machine is gone."""
        self.alive = False
        if self.process is not None:
            self.process.die()
            self.graveyard.append(self.process)
        self.process = self.crash_report = None

    def leave(self) -> None:
        """Shut down: take nothing more, and ask the child to leave its step."""
        self.leaving = True
        self.main.note_stopping()
        self._registration._remove()
        if self.process is not None and self.process.stop is not None:
            self.process.stop.give(reasons.WORKER_STOPPED, "the worker was asked to shut down")

    def clear_away(self) -> None:
        """End all threads."""
        for process in [*self.graveyard, self.process]:
            if process is not None:
                process.clear_away()
        if self.crash_report is not None:
            self.crash_report.clear_away()

    def _report_crash(self, dead: RunningAttempt) -> None:
        while True:
            try:
                self.main.crash_reporter.report(dead)
                break
            except UNREACHABLE:
                pause(WAITS_FOR_REDIS)
        self.world.note_state(dead.uid, dead.attempt, "FAILURE")


class Main:
    """What a worker's main process has to watch its child: the real reporter of crashes and the real watchdog."""

    def __init__(self, redis: GatedRedis, storage: Storage, settings: WorkerSettings, children: Any) -> None:
        self._stopping = threading.Event()
        self.crash_reporter = CrashReporter(
            redis,
            storage,
            worker_name=settings.worker_name,
            shutting_down=self._stopping.is_set,
            count=lambda _: None,
        )
        self._watchdog = Watchdog(
            redis,
            children,
            grace_s=settings.stop_grace_s,
            unwanted_s=settings.self_stop_s,
            interval_s=settings.lease_beat_s,
        )

    def note_stopping(self) -> None:
        """Note that the worker shuts down."""
        self._stopping.set()

    def check_watchdog(self) -> None:
        """Kill what should have stopped."""
        try:
            self._watchdog.check()
        except UNREACHABLE:
            self._watchdog._since.clear()
