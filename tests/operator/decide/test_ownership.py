"""Jobs of other controllers."""

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.observation import Observation
from tests.operator.builders import NOW, make_job
from tests.operator.decisions import FREE, LIMITS, Expected, outcome

ROWS = [
    pytest.param(
        make_job(managedBy="example.com/other"),
        FREE,
        Expected(Phase.PENDING, attempts=0),
        id="a job of another controller is left alone",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected
