"""How an attempt is stopped."""

from datetime import timedelta

import pytest

from recon_api.resource import ReconstructionJob
from recon_operator.decide import decide
from recon_operator.decide.observation import Observation
from tests.operator.builders import NOW, alive, make_job, requested, running
from tests.operator.decisions import LIMITS

CONFIRMED = make_job(status=running(cancellation=requested()), cancellation="Confirmed")


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(CONFIRMED, alive(), 1, id="the order to stop is repeated every second"),
    ],
)
def test_when_the_job_is_looked_at_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)
