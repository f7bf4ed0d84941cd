"""What must hold at every step, whatever happens."""

from collections.abc import Callable
from datetime import datetime

from redis import Redis

from recon_api.errors import ReconstructionError
from recon_api.keys import cancel_key, lease_key
from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_operator.decide.policy_settings import PolicySettings
from tests.support.races.clock import Clock
from tests.support.races.events import Event
from tests.support.races.fates import STEPS
from tests.support.races.rules import FINISHED, final_conditions
from tests.support.races.steps import current
from tests.support.races.store import Json
from tests.support.races.story import End, Story
from tests.support.races.timeline import Change, Writer
from tests.support.races.workers import Process, Revival

NOTED = {
    None: (None, "Withdrawn"),
    "Requested": ("Requested", "Expired"),
    "Confirmed": ("Confirmed", "Stopping"),
}
"""States of a cancellation by what is asked for."""


class Checks:
    """Looks at each thing that happens, and says what is wrong with it."""

    def __init__(
        self,
        stories: dict[str, Story],
        redis: Redis,
        clock: Clock,
        limits: PolicySettings,
        *,
        begin: Callable[[Event], None],
        wrong: Callable[[str], None],
    ) -> None:
        """Look at these stories; `begin` hears of events, `wrong` of what must not happen."""
        self._stories, self._redis, self._clock, self._limits = stories, redis, clock, limits
        self._begin, self._wrong = begin, wrong
        self.pauses_in_fence = 0
        """How many results appeared although their attempts stood still for longer than a lease lives, after the fence."""

        self.untold_results = 0
        """How many jobs ended otherwise because nobody could say any more that their results had appeared."""

    # --- the resource ------------------------------------------------------------------------------------------------

    def note_change(self, change: Change) -> None:
        """Look at a version of a job."""
        story = self._stories.get(change.new["metadata"]["uid"])
        if story is None:
            return
        story.deleted = story.deleted or change.gone or "deletionTimestamp" in change.new["metadata"]
        if "deletionTimestamp" in change.new["metadata"]:
            story.forced = story.forced or self._is_forced(change.new)
        story.gone = story.gone or change.gone
        story.is_open = _has_open_attempt(change.new)
        if change.writer is Writer.BY_HAND:
            story.meddled = True
        elif change.writer is Writer.OPERATOR and change.old is not None:
            self._check_operators(story, change.old, change.new)
        if change.gone or _lets_go(change.old, change.new):
            self._check_nothing_runs(story, "the job is let go")

    def _check_operators(self, story: Story, old: Json, new: Json) -> None:
        before, after = old.get("status", {}), new.get("status", {})
        if len(final_conditions(after)) > 1:
            self._wrong(f"a job ends in two ways: {final_conditions(after)}")
        number = after.get("executionAttempts", 0)
        if number > before.get("executionAttempts", 0):
            self._check_number(story, number)
        if after.get("phase") in FINISHED and before.get("phase") not in FINISHED and story.end is None:
            confirmed = old["spec"].get("cancellation") == "Confirmed"
            self._check_end(story, End(Phase(after["phase"]), confirmed, story.told))
        elif story.end is not None and after.get("phase") != story.end.phase:
            self._wrong(f"a job that was {story.end.phase} is {after.get('phase')}")
        elif story.end is None and new["metadata"]["generation"] == after.get("observedGeneration"):
            self._check_cancellation(new)

    def _check_cancellation(self, job: Json) -> None:
        """Look at what the operator notes of a wish that it has seen."""
        wish, noted = job["spec"].get("cancellation"), job["status"].get("cancellation", {}).get("state")
        if "deletionTimestamp" not in job["metadata"] and noted not in NOTED[wish]:
            self._wrong(f"the cancellation that is asked for is {wish}, and the one that is noted {noted}")

    def _check_number(self, story: Story, number: int) -> None:
        if number <= story.attempts:
            self._wrong(f"attempt {number} is given out again; {story.attempts} was")
        if story.end is not None:
            self._wrong("an attempt is begun of a job that has ended")
        story.attempts = max(story.attempts, number)
        if number > 1:
            self._begin(Event.RETRY)

    def _check_end(self, story: Story, end: End) -> None:
        story.end = end
        if end.phase is Phase.SUCCEEDED and not story.published:
            self._wrong("a job has succeeded and published nothing")
        if end.phase is not Phase.SUCCEEDED and end.told:
            self._wrong(f"a job is {end.phase}, and the operator was told that it is completed")
        if end.phase is not Phase.SUCCEEDED and story.published:
            self.untold_results += 1
        if end.phase is Phase.FAILED and end.confirmed:
            self._wrong("a job has failed whose cancellation is confirmed")
        if end.phase is Phase.CANCELLED and not end.confirmed:
            self._wrong("a job is cancelled that nobody has cancelled")
        self._check_nothing_runs(story, f"the job is {end.phase}")

    def _check_nothing_runs(self, story: Story, why: str) -> None:
        for process in story.processes:
            if self._lives(process) and not process.revival and not story.forced:
                self._wrong(f"attempt {_number(process)} runs, and {why}")

    def _is_forced(self, job: Json) -> bool:
        since = datetime.fromisoformat(job["metadata"]["deletionTimestamp"])
        return (self._clock.now() - since).total_seconds() >= self._limits.delete_force_s

    def asks(self, uid: str) -> None:
        """Note that the operator begins to read about a job: from here on it sees what has come to life again before."""
        for process in self._stories[uid].processes:
            process.revival = process.revival and Revival.VISIBLE

    def told(self, uid: str, completed: bool) -> None:
        """Note what the operator was just told about a job's result."""
        story = self._stories[uid]
        story.told = completed and story.is_open
        for process in story.processes:
            if process.revival is Revival.VISIBLE:
                process.revival = None

    # --- the workers -------------------------------------------------------------------------------------------------

    def is_stopped(self, uid: str) -> bool:
        """Say whether the operator has told all attempts of a job to stop."""
        return bool(self._redis.exists(cancel_key(uid)))

    def disobeys(self, uid: str, attempt: int) -> None:
        """Note that an attempt goes on after it could read that it must not."""
        if not self._stories[uid].forced:
            self._wrong(f"attempt {attempt} goes on, and it was told to stop")

    def note_start(self, process: Process) -> None:
        """Look at an attempt that begins to compute."""
        assert process.payload
        story = self._stories[process.payload.job_id]
        for other in story.processes:
            if self._lives(other):
                self._wrong(f"attempt {_number(process)} runs beside attempt {_number(other)}")
        if (story.end is not None or story.gone) and not story.forced:
            self._wrong(f"attempt {_number(process)} begins after the job's end")
        story.processes.append(process)

    def note_fence(self, process: Process) -> None:
        """Look at an attempt that may publish."""
        assert process.payload
        story, now = self._stories[process.payload.job_id], self._clock.steady()
        process.fenced_at = now
        for other in story.processes:
            if other is not process and other.computes and other.fenced_at and not self._stood_still(other):
                self._wrong(f"attempts {_number(process)} and {_number(other)} may both publish")

    def published(self, uid: str) -> None:
        """Look at a result that has just appeared."""
        story, process = self._stories[uid], current()["process"]
        if self._stood_still(process):
            self.pauses_in_fence += 1
        elif not story.forced:
            self._check_publication(story, process)
        story.published_by.append(_number(process))

    def _check_publication(self, story: Story, process: Process) -> None:
        number = _number(process)
        if story.published:
            self._wrong(f"attempt {number} publishes what attempt {story.published_by[0]} has published")
        if story.gone or (story.end is not None and story.end.phase is not Phase.SUCCEEDED):
            self._wrong(f"attempt {number} publishes after the job's end")
        if number < (latest := max(map(_number, story.processes))):
            self._wrong(f"attempt {number} publishes, and attempt {latest} has begun")

    def begins_step(self, uid: str, step: str) -> None:
        """Look at a step that is computed. Steps of bad photos go at once, and the word of that may be lost with Redis."""
        story = self._stories[uid]
        if step in story.steps and story.fate.kind != "bad photos":
            self._wrong(f"step {step} was finished, and is computed again")

    def finished_step(self, uid: str, step: str) -> None:
        """Note that a step is there for whoever comes later."""
        self._stories[uid].steps.add(step)
        if step == STEPS[-1]:
            current()["process"].has_all = True
            self._begin(Event.FINISH)

    def strike(self, uid: str, step: str) -> None:
        """Let the fate of the job strike."""
        try:
            self._stories[uid].fate.strike(step)
        except ReconstructionError:
            self._begin(Event.FAIL)
            raise

    def _stood_still(self, process: Process) -> bool:
        """Say whether an attempt has stood still since its fence for so long that it is believed dead."""
        lost_after_s = process.worker.settings.lease_ttl_s
        return process.fenced_at is not None and self._clock.steady() - process.fenced_at >= lost_after_s

    def _lives(self, process: Process) -> bool:
        """Say whether a process computes, and is known to by its lease."""
        if not process.computes or process.lease is None or process.payload is None:
            return False
        key = lease_key(process.payload.job_id, process.payload.attempt)
        return self._redis.get(key) == process.lease._owner


def _has_open_attempt(job: Json) -> bool:
    attempts = job.get("status", {}).get("attempts")
    return bool(attempts) and "endTime" not in attempts[-1]


def _number(process: Process) -> int:
    return process.payload.attempt if process.payload else 0


def _lets_go(old: Json | None, new: Json) -> bool:
    return old is not None and FINALIZER in _finalizers(old) and FINALIZER not in _finalizers(new)


def _finalizers(job: Json) -> list[str]:
    found: list[str] = job["metadata"].get("finalizers", [])
    return found
