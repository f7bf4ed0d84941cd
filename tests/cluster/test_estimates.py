"""What finished jobs took is learned, survives a Redis that loses it, and tells running and waiting jobs their times."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from recon_api.keys import durations_key
from recon_api.payload import FinishedRun
from recon_api.resource import ReconstructionJob
from recon_api.status import Phase, QueueStatus, StepTime, WorkerStatus
from recon_api.steps import Step
from recon_dev.valkey import STATE_DB, redis_url
from recon_operator.estimates.run_history import KEPT_RUNS, RunHistory
from tests.operator.builders import NOW, finished
from tests.operator.builders import make_job as make_known_job
from tests.support.jobs import lasting, make_job, recorded
from tests.support.system import System
from tests.support.waiting import wait_for

KEY = durations_key("synthetic", "standard")


def succeeded(number: int) -> ReconstructionJob:
    """Return one of several jobs that have succeeded, the first the longest ago."""
    status = finished(
        Phase.SUCCEEDED,
        completion_time=NOW + timedelta(seconds=number),
        worker=WorkerStatus(name="worker-0", gpu="cpu"),
        steps=(StepTime(name=Step.RECONSTRUCTION, seconds=10.0 + number),),
    )
    return make_known_job(uid=f"job-{number:03}", status=status)


@pytest.fixture
async def redis(idle_system: System) -> AsyncIterator[Redis]:
    """A Redis of the test's own."""
    idle_system.redis.start()
    client: Redis = Redis.from_url(redis_url(idle_system.settings, STATE_DB))
    yield client
    await client.aclose()


def runs_in_redis(system: System) -> list[FinishedRun]:
    """Return the runs that Redis has."""
    values: Any = system.client().lrange(KEY, 0, -1)
    return [FinishedRun.model_validate_json(value) for value in values]


async def wait_kept(system: System, newest: int, oldest: int = 0) -> None:
    """Wait until Redis has the runs of the jobs with these numbers, the newest first."""
    uids = [f"job-{number:03}" for number in range(newest, oldest - 1, -1)]
    await asyncio.to_thread(wait_for, "Redis has the runs", lambda: [run.uid for run in runs_in_redis(system)] == uids)


async def test_redis_has_the_newest_runs_and_gets_them_again(idle_system: System, redis: Redis) -> None:
    history = RunHistory(redis, "multiview", check_every_s=0.2)
    for number in range(3):
        history.learn(succeeded(number))
    keeping = asyncio.create_task(history.run())
    await wait_kept(idle_system, 2)
    history.learn(succeeded(3))
    await wait_kept(idle_system, 3)
    await redis.flushall()
    await wait_kept(idle_system, 3)
    for number in range(4, KEPT_RUNS + 10):
        history.learn(succeeded(number))
    await wait_kept(idle_system, KEPT_RUNS + 9, 10)
    keeping.cancel()


async def test_the_next_operator_knows_what_the_last_one_learned(idle_system: System, redis: Redis) -> None:
    last = RunHistory(redis, "multiview")
    for number in range(3):
        last.learn(succeeded(number))
    keeping = asyncio.create_task(last.run())
    await wait_kept(idle_system, 2)
    keeping.cancel()
    history = RunHistory(redis, "multiview")
    await history.load([succeeded(9)])
    expected = history.estimate(succeeded(9), None, "cpu")
    assert expected is not None
    assert expected == last.estimate(succeeded(9), None, "cpu")


async def test_what_is_no_run_is_passed_over(redis: Redis) -> None:
    good = FinishedRun(uid="a", finished_at=NOW, steps=(StepTime(name=Step.PREVIEWS, seconds=5.0),))
    await redis.rpush(
        KEY, "nonsense", "{}", '{"uid": "b", "finished_at": "2026-11-22T12:00:00"}', good.model_dump_json()
    )
    history = RunHistory(redis, "multiview")
    await history.load([succeeded(1)])
    expected = history.estimate(succeeded(1), None, "")
    assert expected is not None
    assert expected.from_step_s(Step.LOADING) == pytest.approx(5.0)


def test_jobs_are_told_what_finished_ones_took(system: System, tmp_path: Path) -> None:
    first = system.submit(make_job("first", parameters=lasting(6)))
    status = first.wait_phase(Phase.SUCCEEDED)
    (run,) = wait_for("the run is in Redis", lambda: runs_in_redis(system))
    assert status.worker
    assert (run.gpu, run.steps, run.photos) == (status.worker.gpu, status.steps, None)

    system.operator.kill()  # what was learned is not lost with the operator, nor with Redis
    system.client().delete(KEY)
    system.operator.start()
    with recorded(system.control_plane, system.namespace, tmp_path / "states") as states:
        running = system.submit(make_job("running", parameters=lasting(60)))
        running.wait_phase(Phase.RUNNING)  # one after the other: jobs of the same second have no order
        system.submit(make_job("sent")).wait_until("is sent", lambda s: s.execution_attempts == 1)
        system.submit(make_job("waiting")).wait_until(
            "tells when it starts", lambda s: s.queue is not None and s.queue.estimated_start_time is not None
        )
        running.wait_until("has come somewhere", lambda s: s.progress is not None)
        progress = [
            s["status"]["progress"]
            for s in states()
            if s["metadata"]["name"] == "running" and s.get("status", {}).get("progress")
        ]
    assert "estimatedRemainingSeconds" in progress[0]  # earlier than its own pace could say it
    wait_for("Redis has the run again", lambda: run in runs_in_redis(system))


def test_without_finished_jobs_no_start_is_told(system: System) -> None:
    running = system.submit(make_job("running", parameters=lasting(60)))
    running.wait_phase(Phase.RUNNING)
    system.submit(make_job("sent")).wait_until("is sent", lambda s: s.execution_attempts == 1)
    waiting = system.submit(make_job("waiting")).wait_until("waits", lambda s: s.queue is not None)
    assert (waiting.phase, waiting.queue) == (Phase.QUEUED, QueueStatus(position=1))
