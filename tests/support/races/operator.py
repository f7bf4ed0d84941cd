"""One life of an operator: its real parts, each call of which stands still until it is told to go on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recon_api.keys import WORKERS_CHANNEL, progress_key
from recon_api.resource import ReconstructionJob
from recon_operator.act.actor import Actor
from recon_operator.act.credentials import CredentialsProvider
from recon_operator.act.deferred_stops import DeferredStops
from recon_operator.act.refused_writes import RefusedWrites
from recon_operator.act.send_order import SendOrder
from recon_operator.act.status_writer import StatusWriter, WriteBudget
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import KubernetesError, RefusedError
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.clock import WallClock
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.jobs.attempt_notes import AttemptNotes
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.observe.observer import Observer, Reading
from recon_operator.reconcile import BATCH, TICK_S, Reconciler
from recon_operator.telemetry.metrics import Metrics
from recon_operator.watch.redis_notifications import RedisNotifications
from recon_operator.watch.relist import Relist
from tests.support.races.broker import Broker
from tests.support.races.clock import Clock
from tests.support.races.gated import GatedApi, GatedCelery, GatedState, NoHistory, NotedEvents, Reads
from tests.support.races.gates import Gates, Verdict
from tests.support.races.timeline import Timeline, WatchEvent

EXPECTED = (KubernetesError, StateUnavailableError, BrokerError)
"""What a pass may fail of."""


@dataclass(frozen=True)
class Around:
    """What all operators of a world have in common."""

    timeline: Timeline
    broker: Broker
    redis: RedisState
    clock: Clock
    limits: PolicySettings
    metrics: Metrics
    loop: Any
    kill: Callable[[str, int], None]
    """Kills the process of an attempt."""
    watcher: Reads
    wrong: Callable[[str], None]
    """Hears of what must not happen."""


class Operator:
    """An operator from its start to its death; a new one knows nothing but the store and Redis."""

    def __init__(self, around: Around) -> None:
        self._around = around
        clock, self.gates = around.clock, Gates(around.loop)
        self.jobs, self._work = Jobs(), WorkQueue(clock.steady)
        self.redis = GatedState(around.redis, self.gates, around.watcher)
        api, history = GatedApi(around.timeline, self.gates), NoHistory()
        notes = AttemptNotes()
        observer = Observer(self.redis, history, notes, longest_gap_s=2 * around.limits.watch_interval_s)
        refused = RefusedWrites(NotedEvents(), clock.steady)
        writer = StatusWriter(api, self.jobs, refused, 20.0)
        writer.budget = WriteBudget(20.0, clock.steady)
        celery = GatedCelery(around.broker, self.gates, around.kill)
        self._deferred_stops = DeferredStops(api, self.redis, celery, lambda _: None)
        actor = Actor(
            api=api,
            writer=writer,
            redis=self.redis,
            celery=celery,
            events=NotedEvents(),
            jobs=self.jobs,
            notes=notes,
            metrics=around.metrics,
            deferred_stops=self._deferred_stops,
            credentials=CredentialsProvider(api, self.redis, None),
            send_order=Unordered(),
        )
        self._reconciler = SteppedReconciler(
            self.gates,
            around.wrong,
            jobs=self.jobs,
            work=self._work,
            observer=observer,
            actor=actor,
            api=api,
            metrics=around.metrics,
            limits=around.limits,
            send_order=Unordered(),
            concurrency=32,
            history=history,
            clock=WallClock(clock.now, clock.steady),
        )
        self._listener = RedisNotifications(self.redis, self.jobs, self._work, observer)
        self._relist = Relist(
            api, self.jobs, self._work, (around.timeline.store.namespace,), missed=around.metrics.missed
        )
        self._turning = self._stopping_late = False
        self._last_turn = clock.steady()
        self.relist()

    @property
    def stands_at(self) -> list[str]:
        """Where each of its tasks stands."""
        return [parked.label for parked in self.gates.parked]

    @property
    def next_turn(self) -> float:
        """When it looks at what is due next, on the steady clock."""
        if self._work._poked:
            return self._last_turn
        return min([self._last_turn + TICK_S, *self._work._due.values()])

    @property
    def is_due(self) -> bool:
        """Whether it would look now."""
        return self.may_turn and self.next_turn <= self._around.clock.steady()

    @property
    def may_turn(self) -> bool:
        """Whether it is between two turns."""
        return not self._turning

    @property
    def owes_stops(self) -> bool:
        """Whether it has let jobs go that it could not stop."""
        return bool(self._deferred_stops._pending) and not self._stopping_late and not self.redis.down

    def stop_late(self) -> None:
        """Try to stop them."""

        async def stop() -> None:
            await self._deferred_stops.stop_pending()
            self._stopping_late = False

        self._stopping_late = True
        self.gates.start(stop())

    def relist(self) -> None:
        """List all jobs, as at its start and now and then."""

        async def list_jobs() -> None:
            try:
                await self._relist.take_over()
            except KubernetesError:
                if not len(self.jobs):  # the first list is tried until it succeeds
                    await list_jobs()

        self.gates.start(list_jobs())

    def turn(self) -> None:
        """Begin a turn over the jobs that are due."""

        async def turn() -> None:
            try:
                await self._reconciler._turn(taken)
                self._reconciler._notice_clock_jump()
            finally:
                self._turning = False

        self._turning, self._last_turn = True, self._around.clock.steady()
        taken, self._work._poked = self._work.take_due(BATCH), False
        self.gates.start(turn())

    def advance(self, place: int = 0, verdict: Verdict = Verdict.DONE, tear_at: int | None = None) -> None:
        """Let one of its tasks make its next call, and run to the one after."""
        self.redis.tear_at = tear_at
        self.gates.advance(place, verdict)

    def die(self) -> None:
        """End it where it stands."""
        self.gates.end()

    def hear(self, event: WatchEvent) -> None:
        """Hear of a job from the watch, as `recon_operator.watch.kopf_handlers` does."""
        shown = read_job(event.object)
        if event.type == "DELETED":
            self.jobs.remove(shown.job.uid, shown.job.metadata.resource_version, shown.job)
            self._work.add(shown.job.uid)
        elif self.jobs.apply(shown):
            self._work.add(shown.job.uid)

    def hear_state(self, uid: str, attempt: int, state: str) -> None:
        """Hear of a state that Celery has stored."""
        data = json.dumps({"status": state}).encode()
        self._listener._task_reported({"channel": progress_key(uid, attempt).encode(), "data": data})

    def hear_of_workers(self) -> None:
        """Hear that a worker came or went."""
        self._listener._workers_changed({"channel": WORKERS_CHANNEL.encode()})


class Unordered(SendOrder):
    """Lets every order in which messages are sent happen."""

    async def wait_turn(self, uid: str) -> None:
        pass


class SteppedReconciler(Reconciler):
    """A reconciler whose passes are stepped, and whose faults are not forgiven."""

    def __init__(self, gates: Gates, wrong: Callable[[str], None], **parts: Any) -> None:
        super().__init__(**parts)
        self._gates, self._wrong = gates, wrong

    def _start_pass(self, job: ReconstructionJob, seen: Observation) -> None:
        super()._start_pass(job, seen)
        for task in self._passes:
            self._gates.note(task)

    def _plan_queue(self, reading: Reading) -> None:
        for uid in self._plan.update(reading.workers, known=reading.known):
            self._work.add(uid)

    def _try_again(self, job: ReconstructionJob, error: Exception) -> None:
        if not isinstance(error, EXPECTED):
            raise error
        if isinstance(error, RefusedError):
            self._wrong(f"the API server refuses what the operator writes: {error}")
        super()._try_again(job, error)
