"""A few jobs, the operator, workers, and whatever may happen to them, one small step at a time."""

import functools
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recon_api.resource import API_VERSION, KIND
from recon_operator.clients.kubernetes_api import GoneError, RefusedError
from recon_operator.decide.policy_settings import PolicySettings
from recon_worker.settings import WorkerSettings
from tests.support.races.broker import Broker, Message
from tests.support.races.checks import Checks
from tests.support.races.clock import START, Clock
from tests.support.races.disk import Disk, MemoryDisk
from tests.support.races.events import Event, Meetings
from tests.support.races.fates import Fate
from tests.support.races.gates import Verdict
from tests.support.races.memory_store import MemoryStore
from tests.support.races.operator import Around, Operator
from tests.support.races.real_disk import RealDisk
from tests.support.races.servers import Servers
from tests.support.races.stepped_task import Active
from tests.support.races.store import Json, Store
from tests.support.races.story import Story
from tests.support.races.timeline import Timeline, WatchEvent, Writer
from tests.support.races.workers import Process, Worker

LIMITS = PolicySettings(default_model="toy", cancellation_expiry_s=60.0)
"""The defaults, but that a request expires soon."""

CHUNK_S = 15.0
"""Time passes in pieces of at most so much, after each of which every worker beats: more often than leases lapse."""

MEANINGS: dict[tuple[str, object], Event] = {
    ("cancellation", "Requested"): Event.REQUEST,
    ("cancellation", "Confirmed"): Event.CONFIRM,
    ("cancellation", None): Event.WITHDRAW,
    ("suspend", True): Event.SUSPEND,
    ("suspend", False): Event.RESUME,
}
"""What people mean by their changes."""

SHORTEST_NAP_S = 0.5

Notice = tuple[str, int, str]
"""UID, attempt and state of a task."""


class Wrong(AssertionError):  # noqa: N818 - it is a verdict
    """Something happened that must not."""


class World:
    """Everything. Each method is something that can happen; `wrongs` is what should not have."""

    def __init__(
        self,
        servers: Servers,
        *,
        store: Callable[[Clock], Store] = MemoryStore,
        files: Path | None = None,
        workers: int = 1,
        start: Any = START,
    ) -> None:
        """Begin with no jobs; results are real files in the folder `files`, if there is one."""
        Active.world = self
        servers.state.flushall()
        self.servers, self.clock = servers, Clock(start)
        self.log: list[str] = []
        self.wrongs: list[str] = []
        self.stories: dict[str, Story] = {}
        self.meetings = Meetings()
        self.checks = Checks(
            self.stories, servers.state, self.clock, LIMITS, begin=self.meetings.begin, wrong=self.wrongs.append
        )
        self.timeline = Timeline(store(self.clock), self.checks.note_change)
        self.events: list[WatchEvent] = self.timeline.events
        self.notices: list[Notice] = []
        self.broker = Broker(servers.broker)
        self.disk: Disk = RealDisk(files, self.checks) if files else MemoryDisk(self.checks)
        self.workers = [Worker(self, servers.pool, f"worker-{n}", settings_of(f"worker-{n}")) for n in range(workers)]
        self._around = Around(
            timeline=self.timeline,
            broker=self.broker,
            redis=servers.redis,
            clock=self.clock,
            limits=LIMITS,
            metrics=servers.metrics,
            loop=servers.loop,
            kill=self.kill_attempt,
            watcher=self.checks,
            wrong=self.wrongs.append,
        )
        self.operator = Operator(self._around)
        self._names = itertools.count()
        self._lost: set[tuple[str, int]] = set()

    def note(self, what: str) -> None:
        """Write down what happens, for whoever reads of a failure."""
        self.log.append(what)

    def look(self) -> None:
        """Raise Wrong where anything was wrong, with all that happened; note whether anything is still to be done."""
        if self.wrongs:
            raise Wrong("\n".join([*self.log, "", *self.wrongs]))
        if self._is_calm():
            self.meetings.calm()

    @property
    def is_busy(self) -> bool:
        """Whether there is something to do before time passes."""
        operator = self.operator
        if operator.stands_at or self.events or self.notices or operator.is_due or operator.owes_stops:
            return True
        return any(worker.is_busy or (worker.is_free and self.broker.waiting) for worker in self.workers)

    @property
    def until_next_turn_s(self) -> float:
        """How long the operator does nothing if nothing happens."""
        return max(self.operator.next_turn - self.clock.steady(), SHORTEST_NAP_S)

    def _is_calm(self) -> bool:
        operator = self.operator
        if operator.stands_at or self.events or self.notices or operator.is_due:
            return False
        if any(worker.process and worker.process.is_reporting for worker in self.workers):
            return False
        return not any(self._is_open(uid, number) for uid, number in self._lost)

    def _is_open(self, uid: str, number: int) -> bool:
        job = self.timeline.latest.get(self.stories[uid].name)
        attempts = job["status"].get("attempts", []) if job else []
        return bool(attempts) and attempts[-1]["number"] == number and "endTime" not in attempts[-1]

    def close(self) -> None:
        """End all that still stands somewhere."""
        self.operator.die()
        for worker in self.workers:
            worker.clear_away()

    # --- people --------------------------------------------------------------------------------------------------

    def submit(self, fate: Fate | None = None, **spec: Any) -> Story:
        """Create a job."""
        name = f"job-{next(self._names)}"
        manifest = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": name},
            "spec": {"model": "synthetic", **spec},
        }
        job = self._run(self.timeline.create(manifest))
        uid = job["metadata"]["uid"]
        self.stories[uid] = Story(uid, name, fate or Fate(), spec.get("backoffLimit", 2))
        self.note(f"a person creates {name} with fate {fate} and {spec}")
        return self.stories[uid]

    def job(self, story: Story) -> Json | None:
        """Return a job as it is now, None where it is gone."""
        found = self.timeline.latest.get(story.name)
        return found if found and found["metadata"]["uid"] == story.uid else None

    def change(self, story: Story, **spec: Any) -> bool:
        """Have a person change the spec; return whether that was allowed."""
        for field, value in spec.items():
            if (field, value) in MEANINGS:
                self.meetings.begin(MEANINGS[field, value])
        return self._patch(story, {"spec": spec}, status=False, writer=Writer.PERSON)

    def meddle(self, story: Story, **status: Any) -> bool:
        """Have a person write into the status."""
        return self._patch(story, {"status": status}, status=True, writer=Writer.BY_HAND)

    def delete(self, story: Story) -> None:
        """Have a person delete the job."""
        self.note(f"a person deletes {story.name}")
        self.meetings.begin(Event.DELETE)
        try:
            self._run(self.timeline.delete(story.name))
        except GoneError:
            self.note("  it is gone already")

    def _patch(self, story: Story, patch: Json, *, status: bool, writer: Writer) -> bool:
        self.note(f"{writer}: {story.name} {patch}")
        try:
            self._run(self.timeline.patch(story.name, patch, status=status, writer=writer))
        except (RefusedError, GoneError) as error:
            self.note(f"  refused: {error}")
            return False
        return True

    # --- the operator --------------------------------------------------------------------------------------------

    def hear_event(self, place: int = 0) -> None:
        """Have the operator hear of a change."""
        event = self.events.pop(place)
        self.note(f"the operator hears {event.type} at {event.object['metadata']['resourceVersion']}")
        self.operator.hear(event)

    def hear_notice(self, place: int = 0) -> None:
        """Have the operator hear of a task's state."""
        notice = self.notices.pop(place)
        self.note(f"the operator hears of {notice[2]}")
        self.operator.hear_state(*notice)

    def lose_event(self, place: int) -> None:
        """Let an event be lost: the watch broke, and the operator lists all jobs some time after."""
        event = self.events.pop(place)
        self.note(f"{event.type} at {event.object['metadata']['resourceVersion']} is lost")

    def double_event(self, place: int) -> None:
        """Let an event come twice."""
        self.events.append(self.events[place])

    def lose_notice(self, place: int) -> None:
        """Let the word of a task's state be lost."""
        self.notices.pop(place)

    def relist(self) -> None:
        """Have the operator list all jobs."""
        self.note("the operator lists all jobs")
        self.operator.relist()

    def turn_operators_redis(self) -> None:
        """Cut the operator's connection to Redis, or mend it."""
        redis = self.operator.redis
        redis.down = not redis.down
        self.note(f"Redis {'does not answer' if redis.down else 'answers'} the operator")

    def turn(self) -> None:
        """Have the operator look at what is due."""
        self.note("the operator looks at what is due")
        self.operator.turn()

    def stop_late(self) -> None:
        """Have the operator stop what it could not stop before."""
        self.note("the operator stops what is gone")
        self.operator.stop_late()

    def operate(self, place: int = 0, verdict: Verdict = Verdict.DONE, tear_at: int | None = None) -> None:
        """Let the operator make its next call."""
        fate = "" if verdict is Verdict.DONE else f" ({verdict.value})"
        torn = "" if tear_at is None else f", torn after {tear_at}"
        self.note(f"the operator: {self.operator.stands_at[place]}{torn}{fate}")
        self.operator.advance(place, verdict, tear_at)

    def replace_operator(self) -> None:
        """Have the operator die where it stands, and another one start."""
        self.note(f"the operator dies before {self.operator.stands_at or 'anything'}")
        self.operator.die()
        self.events.clear()
        self.notices.clear()
        self.operator = Operator(self._around)

    # --- the workers ---------------------------------------------------------------------------------------------

    def deliver(self, worker: Worker, message: Message) -> None:
        """Have a worker take a message."""
        self.note(f"{worker.name} takes {message.id}")
        self.broker.take(message)
        worker.take(message)

    def work(self, worker: Worker) -> None:
        """Let a worker go on to its next pause."""
        process = worker.process
        at = "its child's crash report" if worker.crash_report else process.at if process else "nothing"
        beating = " (a beat)" if process is not None and process.beat is not None else ""
        self.note(f"{worker.name}: {at}{beating}")
        worker.advance()

    def note_state(self, uid: str, attempt: int, state: str) -> None:
        """Take in a state that Celery has stored."""
        self.notices.append((uid, attempt, state))

    def note_start(self, process: Process) -> None:
        """Take in that an attempt begins to compute."""
        self.checks.note_start(process)

    def note_fence(self, process: Process) -> None:
        """Take in that an attempt may publish."""
        self.checks.note_fence(process)

    def kill_child(self, worker: Worker) -> None:
        """Have a worker's child die."""
        if worker.process is not None:
            self.note(f"the child of {worker.name} dies at {worker.process.at}")
            self._note_death(worker.process)
            self.meetings.begin(Event.FAIL)
            worker.kill_child()

    def kill(self, number: int) -> None:
        """Kill the process of this number."""
        for worker in self.workers:
            if worker.process is not None and worker.process.number == number:
                self.note(f"{worker.name} kills its child at {worker.process.at}")
                worker.kill_child()

    def kill_attempt(self, uid: str, attempt: int) -> None:
        """Kill the process of an attempt, as the operator asks; a worker that is away does not hear of it."""
        for worker in self.workers:
            process = worker.process
            if worker.acts and process and process.payload and process.message.id == f"{uid}.{attempt}":
                self.note(f"{worker.name} is told to kill its child at {process.at}")
                worker.kill_child()

    def begin_beat(self, worker: Worker) -> None:
        """Have an attempt's lease be renewed, a step at a time."""
        if worker.process is not None:
            worker.process.begin_beat()

    def lose_message(self, message: Message) -> None:
        """Let a message be lost."""
        self.note(f"the message {message.id} is lost")
        self.broker.lose(message)

    def double_message(self, message: Message) -> None:
        """Let another copy of a message appear."""
        self.note(f"another copy of {message.id} appears")
        self.broker.send_again(message)

    def freeze(self, worker: Worker) -> None:
        """Have a worker stand still, or go on."""
        worker.frozen = not worker.frozen
        if worker.frozen:
            self._note_loss(worker)
        self.note(f"{worker.name} {'stands still' if worker.frozen else 'goes on'}")

    def cut_off(self, worker: Worker) -> None:
        """Cut a worker's connection to Redis, or mend it."""
        worker.cut_off = not worker.cut_off
        self.note(f"{worker.name} {'loses' if worker.cut_off else 'reaches'} Redis")

    def leave(self, worker: Worker) -> None:
        """Ask a worker to shut down."""
        self.note(f"{worker.name} is asked to shut down")
        worker.leave()

    def kill_worker(self, worker: Worker) -> None:
        """Have a worker die, child and all."""
        self.note(f"{worker.name} dies with {worker.process.at if worker.process else 'no child'}")
        if worker.process is not None:
            self._note_death(worker.process)
        self._note_loss(worker)
        worker.die()

    def start_worker(self, worker: Worker) -> None:
        """Start a worker again."""
        self.note(f"{worker.name} starts again")
        worker.start()
        self.operator.hear_of_workers()

    def _note_loss(self, worker: Worker) -> None:
        process = worker.process
        if process is not None and process.payload is not None and not process.ended:
            self._lost.add((process.payload.job_id, process.payload.attempt))
            self.meetings.begin(Event.LOSE)

    def _note_death(self, process: Process) -> None:
        self.broker.note_loss(process.message)
        if process.payload is not None:
            self.stories[process.payload.job_id].crashes += 1

    # --- everything else -----------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass: workers beat, keys in Redis age."""
        self.note(f"{seconds:g} s pass")
        while seconds > 0:
            chunk = min(seconds, CHUNK_S)
            seconds -= chunk
            for worker in self.workers:
                worker.beat()
            self.clock.go_on(chunk)
            self.servers.pass_time(chunk)
        for worker in self.workers:
            worker.beat()
            worker.register()

    def jump(self, seconds: float) -> None:
        """Set the time of day."""
        self.note(f"the time of day jumps by {seconds:g} s")
        self.clock.jump(seconds)

    def flush(self) -> None:
        """Have Redis lose everything."""
        self.note("Redis loses everything")
        self.servers.state.flushall()
        self.broker.lose_all()

    def _run(self, call: Any) -> Any:
        return self.servers.loop.run_until_complete(call)


@functools.cache
def settings_of(name: str) -> WorkerSettings:
    """Return the settings of a worker."""
    return WorkerSettings(worker_name=name)
