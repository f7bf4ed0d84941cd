"""What is left to do about a finished job, as a table of sentences."""

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    DiscardFiles,
    ForgetJob,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import LABELLED, NOW, alive, finished, make_job, make_observation
from tests.operator.decisions import LIMITS, UNKNOWN, Expected, outcome

ROWS = [
    pytest.param(
        make_job(status=finished(Phase.SUCCEEDED), labels=LABELLED),
        alive(),
        Expected(Phase.SUCCEEDED, finished=True),
        id="a finished job stays finished",
    ),
    pytest.param(
        make_job(status=finished(Phase.CANCELLED), finalizer=True),
        make_observation(stop_flag_set=True),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), finished=True),
        id="what a crash left of a finished job is cleared up",
    ),
    pytest.param(
        make_job(status=finished(Phase.FAILED), finalizer=True),
        UNKNOWN,
        Expected(Phase.FAILED, finalizer=True),
        id="a finished job keeps its finalizer until Redis can be cleared up",
    ),
    pytest.param(
        make_job(status=finished(Phase.FAILED), finalizer=True, deleted_s_ago=1.0),
        UNKNOWN,
        Expected(Phase.FAILED, finished=True),
        id="a finished job that is deleted does not wait for Redis",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected
