"""The loop: what it looks at, by which clock, and for whom it keeps a worker."""

import asyncio
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from recon_api.resource import ReconstructionJob
from recon_operator.act.send_order import SendOrder
from recon_operator.clients.redis_state import Snapshot
from recon_operator.decide.decision import Decision, SendAttempt
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.observe.observer import Reading
from recon_operator.observe.queue_place import QueuePlace
from recon_operator.reconcile import Reconciler
from recon_operator.scheduling.queue_order import SENT_PER_WORKER
from recon_operator.telemetry.metrics import Metrics
from tests.operator.builders import ended, queued
from tests.operator.clocks import Clocks
from tests.operator.shown import shown


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


class World:
    """Nothing is seen of any job; which were looked at, and what was decided, is kept."""

    def __init__(self, clocks: Clocks) -> None:
        self.jobs, self.work = Jobs(), WorkQueue()
        self.looked_at: list[str] = []
        self.decided: list[Decision] = []
        self.sent: list[str] = []
        self.send_order = SendOrder()
        self.workers = 0
        self.may_act = asyncio.Event()
        self.may_act.set()
        self.reconciler = Reconciler(
            jobs=self.jobs,
            work=self.work,
            observer=cast("Any", self),
            actor=cast("Any", self),
            api=cast("Any", None),
            metrics=Metrics(self.jobs),
            limits=PolicySettings(),
            send_order=self.send_order,
            concurrency=4,
            clock=clocks.wall,
        )

    async def read(self, jobs: Collection[ReconstructionJob]) -> Reading:
        self.looked_at += sorted(job.uid for job in jobs)
        return Reading(Snapshot(), workers=Counter(any=self.workers))

    def observe(self, _job: object, _reading: object, place: QueuePlace, _problem: str) -> Observation:
        return Observation(admitted=place.admitted, workers=self.workers)

    async def act(self, job: ReconstructionJob, decision: Decision) -> float:
        self.decided.append(decision)
        self.sent += [job.uid for effect in decision.effects if isinstance(effect, SendAttempt)]
        await self.may_act.wait()
        return 0.0

    def forget(self, uid: str) -> None:
        pass

    async def turn(self) -> None:
        """Let the loop turn some times."""
        running = asyncio.create_task(self.reconciler.run())
        for _ in range(5):
            self.work.poke()
            for _ in range(10):
                await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        if self.may_act.is_set():
            await self.reconciler.drain()


@pytest.mark.parametrize(
    ("jump_s", "again"),
    [
        pytest.param(0.0, [], id="time goes on"),
        pytest.param(-7200.0, ["a", "b"], id="it is set back"),
        pytest.param(7200.0, ["a", "b"], id="it is set ahead"),
    ],
)
async def test_all_jobs_are_looked_at_again_when_the_clock_is_set(
    clocks: Clocks, caplog: pytest.LogCaptureFixture, jump_s: float, again: list[str]
) -> None:
    world = World(clocks)
    for uid in ("a", "b"):
        world.jobs.apply(shown(uid=uid, status=queued()))
    await world.turn()
    world.looked_at.clear()
    clocks.pass_s(5.0, jump_s=jump_s)
    await world.turn()
    assert world.looked_at == again
    assert (f"the clock has jumped by {jump_s:+.1f} s; all 2 jobs" in caplog.text) is bool(again)


async def test_decisions_are_made_by_the_clock_that_is_given(clocks: Clocks) -> None:
    world = World(clocks)
    world.jobs.apply(shown(uid="new"))
    world.work.add("new")
    clocks.pass_s(60.0)
    await world.turn()
    assert {decision.status.conditions[0].last_transition_time for decision in world.decided} == {clocks.now}


async def test_what_cannot_be_planned_with_holds_up_no_other_job(
    clocks: Clocks, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(clocks)
    end_of_time = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    latest = ended("CUDAOutOfMemory").attempts[-1].model_copy(update={"end_time": end_of_time})
    world.jobs.apply(
        shown(uid="odd", status=ended("CUDAOutOfMemory", failed_attempts=1).model_copy(update={"attempts": (latest,)}))
    )
    world.jobs.apply(shown(uid="other", status=queued()))
    world.work.add("other")
    await world.turn()
    assert "the queue cannot be planned anew" in caplog.text
    assert world.looked_at == ["other"]


async def test_a_worker_is_kept_for_a_job_whose_pass_is_under_way(clocks: Clocks) -> None:
    world = World(clocks)
    world.workers = 1
    world.may_act.clear()
    for number in range(SENT_PER_WORKER):
        world.jobs.apply(shown(uid=f"w{number}", name=f"w{number}"))
        world.work.add(f"w{number}")
    await world.turn()
    first = [f"w{number}" for number in range(SENT_PER_WORKER)]
    assert world.sent == first
    world.jobs.apply(shown(uid="urgent", name="urgent", priority=10))
    world.work.add("urgent")
    clocks.pass_s(5.0)
    await world.turn()
    assert world.sent == first, "those that are about to be sent have the worker"
    world.may_act.set()
    await world.reconciler.drain()
    world.work.add("urgent")
    clocks.pass_s(5.0)
    await world.turn()
    assert "urgent" in world.sent, "their status shows that they were not sent after all"


class SendingWorld(World):
    """A world that sends as the actor does, after a write of the status that takes longest for the urgent job."""

    async def act(self, job: ReconstructionJob, decision: Decision) -> float:
        for _ in range(job.spec.priority):
            await asyncio.sleep(0)
        await self.send_order.wait_turn(job.uid)
        return await super().act(job, decision)


async def test_jobs_admitted_together_are_sent_by_priority(clocks: Clocks) -> None:
    world = SendingWorld(clocks)
    world.workers = 1
    for uid, priority in (("early", 0), ("late", 10)):
        world.jobs.apply(shown(uid=uid, name=uid, priority=priority))
        world.work.add(uid)
    await world.turn()
    assert world.sent[:2] == ["late", "early"]
