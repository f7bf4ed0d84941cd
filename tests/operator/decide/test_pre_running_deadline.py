"""What `preRunningDeadlineSeconds` decides, as a table of sentences."""

from datetime import timedelta

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Attempt,
    ConditionType,
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
    ago,
    condition,
    dispatched,
    make_job,
    make_observation,
    queued,
)
from tests.operator.decisions import LIMITS, Expected, outcome

ROWS = [
    pytest.param(
        make_job(status=queued(), preRunningDeadlineSeconds=31),
        make_observation(attempt=0),
        Expected(Phase.QUEUED, attempts=0),
        id="a job waits as long as it may",
    ),
    pytest.param(
        make_job(status=queued(), preRunningDeadlineSeconds=30),
        make_observation(attempt=0, admitted=True),
        Expected(Phase.FAILED, (ForgetJob(),), ("QueueDeadlineExceeded",), finished=True, attempts=0),
        id="a job that waited too long fails",
    ),
    pytest.param(
        make_job(status=dispatched(), preRunningDeadlineSeconds=30),
        make_observation(waits_in_queue=True),
        Expected(Phase.QUEUED, (HoldAttempts(),), ("QueueDeadlineExceeded",), finalizer=True),
        id="an attempt that nobody took in time is called back",
    ),
    pytest.param(
        make_job(status=dispatched(attempts=(Attempt(number=1, stop_time=ago(1)),)), preRunningDeadlineSeconds=30),
        make_observation(authorised=0, waits_in_queue=True),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("QueueDeadlineExceeded",), finished=True),
        id="once it can't be taken any more the job has failed",
    ),
    pytest.param(
        make_job(
            status=queued(
                start_time=ago(40), conditions=(condition(ConditionType.QUEUED, "True", "Queued", since=ago(35)),)
            ),
            preRunningDeadlineSeconds=30,
        ),
        make_observation(attempt=0),
        Expected(Phase.QUEUED, attempts=0),
        id="a job that has run before waits for ever",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(
            make_job(status=queued(), preRunningDeadlineSeconds=90),
            make_observation(attempt=0),
            60,
            id="a waiting job is looked at when it has waited too long",
        ),
    ],
)
def test_when_the_job_is_looked_at_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)
