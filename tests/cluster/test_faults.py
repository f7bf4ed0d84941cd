"""Every part may die at any point: no job is lost, and none runs twice."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_dev.state import StateDir
from tests.support.control_plane import start_control_plane
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for


def complete(job: Job, *, attempts: int = 1) -> ReconstructionJobStatus:
    """Wait until the job succeeds, and check that it took so many attempts."""
    status = job.wait_phase(Phase.SUCCEEDED, within_s=180)
    assert status.execution_attempts == attempts, status.attempts
    assert len(status.attempts) == attempts
    assert has_condition(status, ConditionType.COMPLETE)
    return status


def kill_worker(system: System) -> None:
    """Kill the worker and all it started, as a lost node does, and start it again, as its Deployment does."""
    system.worker.kill()
    system.worker.start()


def kill_attempt(system: System) -> None:
    """Kill only the process that runs the attempt, as the kernel does when memory runs out."""
    for child in psutil.Process(system.worker.pid).children():
        if any("spawn_main" in argument for argument in child.cmdline()):
            child.kill()


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        pytest.param(kill_worker, {"WorkerLost"}, id="a worker that is lost"),
        pytest.param(kill_attempt, {"WorkerCrashed", "OutOfMemory"}, id="an attempt whose process is killed"),
    ],
)
def test_a_job_survives(
    breakable_system: System, request: pytest.FixtureRequest, fault: Callable[[System], None], reasons: set[str]
) -> None:
    backoff = {"backoff": {"duration": "1s", "maxDuration": "1s"}}
    name = f"survives-{request.node.callspec.indices['fault']}"
    job = breakable_system.submit(make_job(name, parameters=lasting(8), retryStrategy=backoff))
    job.wait_percentage(15)
    fault(breakable_system)
    status = complete(job, attempts=2)
    assert status.attempts[0].reason in reasons
    assert status.attempts[0].worker == "worker-0"


def test_a_worker_that_is_asked_to_leave_hands_its_job_over(breakable_system: System) -> None:
    other = breakable_system.another_worker()
    job = breakable_system.submit(make_job("handed-over", parameters=lasting(15)))
    name = job.wait_until("is with a worker", lambda s: s.phase is Phase.RUNNING and s.worker is not None).worker
    leaving = breakable_system.worker if name and name.name == "worker-0" else other
    leaving.stop()
    complete(job, attempts=2)
    if not breakable_system.worker.runs():
        breakable_system.worker.start()


@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(lambda s: bool(s.phase is Phase.QUEUED or s.execution_attempts), id="queued"),
        pytest.param(lambda s: s.phase is Phase.RUNNING, id="running"),
        pytest.param(lambda s: s.progress is not None and s.progress.percentage >= 50, id="half done"),
        pytest.param(lambda _: True, id="just created"),
    ],
)
def test_the_operator_dies_while_a_job_is(
    breakable_system: System, request: pytest.FixtureRequest, reached: Callable[[ReconstructionJobStatus], bool]
) -> None:
    name = f"followed-{request.node.callspec.indices['reached']}"
    job = breakable_system.submit(make_job(name, parameters=lasting(5)))
    job.wait_until("is there", reached)
    breakable_system.operator.kill()
    breakable_system.operator.start()
    complete(job)


def test_a_job_ends_and_another_comes_while_the_operator_is_away(breakable_system: System) -> None:
    first = breakable_system.submit(make_job("first", parameters=lasting(3)))
    first.wait_phase(Phase.RUNNING)
    breakable_system.operator.kill()
    wait_for("the attempt ends", (breakable_system.outputs / "first").exists)
    second = breakable_system.submit(make_job("second"))
    breakable_system.operator.start()
    complete(first)
    complete(second)


def test_redis_restarts(breakable_system: System) -> None:
    running = breakable_system.submit(make_job("kept-running", parameters=lasting(10)))
    running.wait_phase(Phase.RUNNING)
    queued = breakable_system.submit(make_job("kept-queued"))
    queued.wait_phase(Phase.QUEUED)
    breakable_system.redis.kill()
    breakable_system.redis.start()
    complete(running)
    complete(queued)


def test_redis_forgets_everything(breakable_system: System) -> None:
    running = breakable_system.submit(make_job("forgotten-running", parameters=lasting(10)))
    running.wait_phase(Phase.RUNNING)
    named = [make_job(f"forgotten-queued-{number}") for number in range(3)]
    for manifest in named:
        manifest["metadata"]["namespace"] = breakable_system.namespace
    breakable_system.control_plane.run_kubectl.apply(*named)  # at once, for the other one runs on meanwhile
    queued = [breakable_system.job(manifest["metadata"]["name"]) for manifest in named]
    for job in queued:
        job.wait_phase(Phase.QUEUED)
    breakable_system.client().flushall()
    assert running.wait_phase(Phase.SUCCEEDED, within_s=180).execution_attempts == 1
    for job in queued:
        job.wait_phase(Phase.SUCCEEDED, within_s=180)


def test_redis_is_away_while_a_job_ends(breakable_system: System) -> None:
    job = breakable_system.submit(make_job("ends-alone", parameters=lasting(8)))
    job.wait_phase(Phase.RUNNING)
    breakable_system.redis.stop()
    # Whether it may still publish is known only from Redis, so the result lies sealed beside until then.
    wait_for("the attempt has its result", (breakable_system.work_folder(job) / "attempt-1").exists)
    assert not (breakable_system.outputs / job.name).exists()
    breakable_system.redis.start()
    complete(job)


def test_operator_and_worker_wait_for_redis(idle_system: System) -> None:
    job = idle_system.submit(make_job())
    for part in (idle_system.operator, idle_system.worker):
        part.start(wait=False)
        part.wait_logged("Redis")
    idle_system.redis.start()
    complete(job)


def test_the_api_server_restarts(tmp_path: Path) -> None:
    control_plane = start_control_plane(StateDir(tmp_path / "control-plane"))
    system = System(control_plane, tmp_path / "system")
    try:
        system.start()
        job = system.submit(make_job(parameters=lasting(8)))
        job.wait_phase(Phase.RUNNING)
        os.kill(control_plane.pid("kube-apiserver"), signal.SIGKILL)
        complete(job)
        complete(system.submit(make_job("second")))
    finally:
        system.stop()
        control_plane.stop()
