"""When a worker counts as lost, as a table of sentences."""

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
from tests.operator.builders import NOW, OWNER, alive, make_job, make_observation, running
from tests.operator.decisions import LIMITS, RUNS, SENT, SILENT, Expected, outcome

ROWS = [
    pytest.param(
        RUNS,
        make_observation(claim=OWNER, silent_s=24.9),
        Expected(Phase.RUNNING, finalizer=True),
        id="a lease that lapsed shortly ago proves nothing",
    ),
    pytest.param(
        RUNS,
        SILENT,
        Expected(Phase.QUEUED, reasons=("WorkerLost", "Queued"), finalizer=True),
        id="a silent worker's job is queued again",
    ),
    pytest.param(
        RUNS,
        make_observation(silent_s=25.0),
        Expected(Phase.QUEUED, reasons=("WorkerLost", "Queued"), finalizer=True),
        id="a worker that is lost together with all keys is lost",
    ),
    pytest.param(
        SENT,
        SILENT,
        Expected(Phase.QUEUED, reasons=("WorkerLost",), finalizer=True),
        id="a worker that died between its claim and its first lease is lost",
    ),
    pytest.param(
        RUNS,
        alive(owner_restarted=True),
        Expected(Phase.QUEUED, reasons=("WorkerLost", "Queued"), finalizer=True),
        id="a restarted worker's job is queued again at once",
    ),
    pytest.param(
        make_job(status=running(11)),
        make_observation(attempt=11, claim=OWNER, silent_s=25.0),
        Expected(
            Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("IgnoredLimitExceeded",), finished=True, attempts=11
        ),
        id="the eleventh lost worker fails the job",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


def test_a_lost_attempt_is_kept_in_the_status() -> None:
    attempt = decide(RUNS, SILENT, NOW, LIMITS).status.attempts[-1]
    assert (attempt.worker, attempt.reason, attempt.end_time) == ("worker-0", "WorkerLost", NOW)
