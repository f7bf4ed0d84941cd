"""How an observation is made of what Redis says, what was done about the attempt, and what the plan says."""

from datetime import timedelta
from typing import Any, cast

import pytest

from recon_api.payload import AttemptResult, Outcome
from recon_api.resource import ReconstructionJob
from recon_operator.clients.redis_state import JobKeys, Snapshot, StateUnavailableError
from recon_operator.decide.observation import Observation
from recon_operator.jobs.attempt_notes import AttemptNotes
from recon_operator.observe import observer as observed
from recon_operator.observe.observer import Observer
from recon_operator.observe.queue_place import QueuePlace
from tests.operator.builders import NOW, OWNER, dispatched, make_job, report

PLACE = QueuePlace(admitted=True, position=3, starts_at=NOW + timedelta(minutes=5))
NOWHERE = QueuePlace()
JOB = make_job(status=dispatched())
REFUSAL = AttemptResult(outcome=Outcome.FAILED, attempt=1, reason="SecretNotFound")


class World:
    """Redis as the test says, and a clock that the test sets."""

    def __init__(self) -> None:
        self.keys: JobKeys | StateUnavailableError = JobKeys(authorised=1)
        self.progress: dict[str, Any] = {}
        self.now = 1000.0
        self.notes = AttemptNotes()
        self.observer = Observer(cast("Any", self), cast("Any", self), self.notes, longest_gap_s=20.0)

    async def read(self, attempts: list[tuple[str, int]], _gpu_classes: object) -> Snapshot:
        if isinstance(self.keys, StateUnavailableError):
            raise self.keys
        return Snapshot({uid: self.keys for uid, _ in attempts}, progress=self.progress)

    async def load(self, _jobs: object) -> None:
        """Know of no finished job."""

    def estimate(self, _job: object, _photos: int | None, _gpu: str) -> None:
        """The same."""

    def monotonic(self) -> float:
        return self.now

    async def look(
        self, job: ReconstructionJob = JOB, place: QueuePlace = NOWHERE, spec_problem: str = "", after_s: float = 0.0
    ) -> Observation:
        """Read and observe after so long."""
        self.now += after_s
        return self.observer.observe(job, await self.observer.read([job]), place, spec_problem)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(observed, "time", made)
    return made


async def test_what_the_plan_and_the_spec_say_is_part_of_it(world: World) -> None:
    seen = await world.look(make_job(), PLACE, "spec.model cannot be read")
    assert (seen.admitted, seen.position, seen.starts_at) == (True, PLACE.position, PLACE.starts_at)
    assert seen.spec_problem == "spec.model cannot be read"


async def test_nothing_is_admitted_while_redis_is_away(world: World) -> None:
    world.keys = StateUnavailableError("wrong password", refused=True)
    seen = await world.look(make_job(), PLACE, "spec.model cannot be read")
    assert (seen.known, seen.refusal, seen.admitted) == (False, "wrong password", False)
    assert (seen.position, seen.spec_problem) == (3, "spec.model cannot be read")


async def test_a_silence_is_counted_from_when_the_message_was_sent(world: World) -> None:
    world.notes.sending(JOB.uid, 1)
    assert (await world.look()).unsent
    assert (await world.look(after_s=10)).silent_s == 10
    world.notes.sent(JOB.uid)
    sent = await world.look(after_s=10)
    assert (sent.unsent, sent.silent_s) == (False, 0)
    assert (await world.look(after_s=10)).silent_s == 10
    world.notes.sent(JOB.uid)
    assert (await world.look(after_s=10)).silent_s == 0, "and again once it is sent again"


async def test_a_silence_starts_again_where_redis_was_away(world: World) -> None:
    await world.look()
    answers, world.keys = world.keys, StateUnavailableError("gone", refused=False)
    await world.look(after_s=5)
    world.keys = answers
    assert [(await world.look(after_s=5)).silent_s for _ in range(2)] == [0, 5]


async def test_a_job_that_is_forgotten_is_seen_for_the_first_time(world: World) -> None:
    await world.look()
    world.observer.forget(JOB.uid)
    assert (await world.look(after_s=10)).silent_s == 0


async def test_an_attempt_that_could_not_be_sent_has_ended(world: World) -> None:
    world.notes.refused(JOB.uid, REFUSAL)
    assert (await world.look()).result == REFUSAL
    real = REFUSAL.model_copy(update={"reason": "OutOfMemory"})
    world.keys = JobKeys(result=real)
    assert (await world.look()).result == real, "what a worker says counts more"


async def test_a_lease_stands_for_a_claim_that_was_lost(world: World) -> None:
    world.keys = JobKeys(lease=OWNER)
    seen = await world.look()
    assert (seen.claim, seen.leased, seen.owner_restarted) == (OWNER, True, False)


async def test_of_a_job_without_an_attempt_only_the_flags_are_seen(world: World) -> None:
    world.keys = JobKeys(cancellation_requested=True, claim=OWNER, result=REFUSAL)
    seen = await world.look(make_job())
    assert seen == Observation(cancellation_requested=True)


async def test_steps_are_timed_by_the_reports(world: World) -> None:
    world.progress = {JOB.status.task_id: report(30)}
    await world.look()
    seen = await world.look(after_s=7)
    assert (seen.progress, seen.step_durations.step_elapsed_s) == (report(30), 7)
