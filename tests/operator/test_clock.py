"""A clock that is set while the operator runs."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from recon_api.resource import ReconstructionJob
from recon_operator.clock import WallClock
from recon_operator.decide.decision import Decision
from recon_operator.decide.limits import Limits
from recon_operator.decide.observation import Observation
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.observe.observer import View
from recon_operator.reconcile import Reconciler
from recon_operator.telemetry.metrics import Metrics
from tests.operator.builders import NOW, ended, queued
from tests.operator.shown import shown


class Clocks:
    """A time of day and a steady clock, both of which the test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.steady_s = 100.0
        self.wall = WallClock(lambda: self.now, lambda: self.steady_s)

    def pass_s(self, seconds: float, *, jump_s: float = 0.0) -> None:
        """Let time pass, and set the time of day on top."""
        self.steady_s += seconds
        self.now += timedelta(seconds=seconds + jump_s)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.mark.parametrize(
    ("passed_s", "jump_s", "noted_s"),
    [
        pytest.param(3600.0, 0.0, 0.0, id="an hour has passed"),
        pytest.param(1.0, 3600.0, 3600.0, id="an hour ahead"),
        pytest.param(1.0, -3600.0, -3600.0, id="an hour back"),
        pytest.param(1.0, 1.9, 0.0, id="a little ahead"),
        pytest.param(1.0, -1.9, 0.0, id="a little back"),
    ],
)
def test_jumps(clocks: Clocks, passed_s: float, jump_s: float, noted_s: float) -> None:
    clocks.pass_s(passed_s, jump_s=jump_s)
    assert [clocks.wall.jump_s() for _ in range(2)] == [pytest.approx(noted_s), 0.0], "it is noted once"


def test_small_steps_add_up(clocks: Clocks) -> None:
    noted = []
    for _ in range(4):
        clocks.pass_s(5.0, jump_s=-0.6)
        noted.append(clocks.wall.jump_s())
    assert noted == [0.0, 0.0, 0.0, pytest.approx(-2.4)]


class World:
    """Nothing is seen of any job; which were looked at, and what was decided, is noted."""

    def __init__(self, clocks: Clocks) -> None:
        self.jobs, self.work = Jobs(), WorkQueue()
        self.looked_at: list[str] = []
        self.decided: list[Decision] = []
        self.reconciler = Reconciler(
            jobs=self.jobs,
            work=self.work,
            observer=cast(Any, self),
            actor=cast(Any, self),
            api=cast(Any, None),
            metrics=Metrics(self.jobs),
            limits=Limits(),
            concurrency=4,
            clock=clocks.wall,
        )

    async def observe(self, jobs: Collection[ReconstructionJob]) -> View:
        self.looked_at += sorted(job.uid for job in jobs)
        return View({job.uid: Observation() for job in jobs})

    async def act(self, job: ReconstructionJob, decision: Decision) -> float:
        self.decided.append(decision)
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
