"""A Redis that answers and takes no writes is not taken for one that works."""

from collections.abc import Callable

import pytest
import redis

from recon_api.status import ConditionType, Phase
from tests.support.jobs import Job, lasting, make_job
from tests.support.system import System

Order = Callable[[redis.Redis], object]

CASES = [
    pytest.param(
        lambda r: r.replicaof("127.0.0.1", "1"),
        lambda r: r.replicaof("NO", "ONE"),
        "read only",
        id="it was made a replica, as by a failover",
    ),
    pytest.param(
        lambda r: r.config_set("maxmemory", 1),
        lambda r: r.config_set("maxmemory", 0),
        "maxmemory",
        id="its memory is full",
    ),
    pytest.param(
        lambda r: r.config_set("min-replicas-to-write", 1),
        lambda r: r.config_set("min-replicas-to-write", 0),
        "NOREPLICAS",
        id="it has too few replicas",
    ),
]


def reasons(job: Job) -> list[str]:
    return [reason for reason, _ in job.events()]


@pytest.mark.parametrize(("refuse", "accept", "said"), CASES)
def test_a_job_that_comes_waits_and_says_why(
    breakable_system: System, request: pytest.FixtureRequest, refuse: Order, accept: Order, said: str
) -> None:
    admin = breakable_system.client()
    refuse(admin)
    request.addfinalizer(lambda: accept(admin))
    job = breakable_system.submit(make_job(f"comes-{CASES_BY_WORD.index(said)}"))
    status = job.wait_until("says why", lambda s: "Redis" in s.message)
    assert "Redis refuses the operator" in status.message
    assert said.lower() in status.message.lower()
    assert status.phase is Phase.QUEUED
    assert (status.execution_attempts, "Dispatched" in reasons(job)) == (0, False)
    accept(admin)
    job.wait_phase(Phase.SUCCEEDED)
    assert reasons(job).count("Dispatched") == 1


CASES_BY_WORD = [case.values[2] for case in CASES]


@pytest.mark.parametrize(("refuse", "accept", "said"), CASES)
def test_a_job_that_runs_is_not_taken_for_lost(
    breakable_system: System, request: pytest.FixtureRequest, refuse: Order, accept: Order, said: str
) -> None:
    admin = breakable_system.client()
    job = breakable_system.submit(make_job(f"runs-{CASES_BY_WORD.index(said)}", parameters=lasting(8)))
    job.wait_percentage(15)
    refuse(admin)
    request.addfinalizer(lambda: accept(admin))
    waiting = breakable_system.submit(make_job(f"waits-{CASES_BY_WORD.index(said)}"))
    waiting.wait_until("says why", lambda s: "Redis refuses" in s.message)
    assert job.status().phase is Phase.RUNNING
    accept(admin)
    status = job.wait_phase(Phase.SUCCEEDED)
    assert status.execution_attempts == 1
    assert status.condition(ConditionType.FAILED) is None
    waiting.wait_phase(Phase.SUCCEEDED)
