"""What `activeDeadlineSeconds` decides, as a table of sentences."""

from datetime import timedelta
from typing import Any

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    DiscardFiles,
    ForgetJob,
    HoldAttempts,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    alive,
    completed,
    ended,
    make_job,
    make_observation,
    running,
)
from tests.operator.decisions import LIMITS, Expected, held_result, outcome, stopping

SUSPENDED = make_job(suspend=True)
SPENT: dict[str, Any] = {"activeDeadlineSeconds": 20}


ROWS = [
    pytest.param(
        make_job(status=running(), activeDeadlineSeconds=21),
        alive(),
        Expected(Phase.RUNNING, finalizer=True),
        id="an attempt runs until its time is up",
    ),
    pytest.param(
        make_job(status=running(), **SPENT),
        alive(),
        Expected(Phase.RUNNING, (HoldAttempts(),), ("DeadlineExceeded",), finalizer=True),
        id="then it is stopped",
    ),
    pytest.param(
        make_job(status=running(active_seconds=15), activeDeadlineSeconds=35),
        alive(),
        Expected(Phase.RUNNING, (HoldAttempts(),), ("DeadlineExceeded",), finalizer=True),
        id="the time of earlier attempts counts",
    ),
    pytest.param(
        make_job(status=stopping(), **SPENT),
        alive(authorised=0, result=held_result()),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("DeadlineExceeded",), finished=True),
        id="once it has stopped the job has failed",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True, **SPENT),
        alive(authorised=0, result=held_result()),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("DeadlineExceeded",), finished=True),
        id="a job that is suspended after its time was up has failed",
    ),
    pytest.param(
        make_job(status=stopping(), **SPENT),
        alive(authorised=0, result=completed()),
        Expected(Phase.SUCCEEDED, (ForgetJob(),), ("Completed",), finished=True),
        id="one that is done all the same has succeeded",
    ),
    pytest.param(
        make_job(status=ended("Suspended", active_seconds=19, phase=Phase.SUSPENDED), suspend=True, **SPENT),
        make_observation(authorised=0),
        Expected(Phase.SUSPENDED),
        id="suspended time is left out",
    ),
    pytest.param(
        make_job(status=ended("CUDAOutOfMemory", active_seconds=20), **SPENT),
        make_observation(admitted=True),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("DeadlineExceeded",), finished=True),
        id="no attempt begins that would have no time",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(
            make_job(status=running(), activeDeadlineSeconds=25),
            alive(),
            5,
            id="a running attempt is looked at when its time is up",
        ),
    ],
)
def test_when_the_job_is_looked_at_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)


@pytest.mark.parametrize("ran_s", [4.001, 4.5, 0.2])
def test_a_job_that_was_stopped_for_its_deadline_fails_whatever_its_worker_has_counted(ran_s: float) -> None:
    stopped = ended("DeadlineExceeded", active_seconds=int(ran_s))
    job = make_job(status=stopped, activeDeadlineSeconds=5)
    status = decide(job, make_observation(admitted=True), NOW, LIMITS).status
    assert (status.phase, status.execution_attempts) == (Phase.FAILED, 1)
