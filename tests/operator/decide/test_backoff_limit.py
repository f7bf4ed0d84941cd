"""What a failed attempt leads to, as a table of sentences."""

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
from tests.operator.builders import NOW, alive, failed, make_job, running
from tests.operator.decisions import LIMITS, RUNS, Expected, outcome

ROWS = [
    pytest.param(
        RUNS,
        alive(result=failed("InsufficientOverlap")),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("InsufficientOverlap",), finished=True),
        id="the user's mistake fails the job at once",
    ),
    pytest.param(
        RUNS,
        alive(result=failed("CUDAOutOfMemory")),
        Expected(Phase.RETRYING, reasons=("CUDAOutOfMemory",), finalizer=True),
        id="the job's own failure is retried",
    ),
    pytest.param(
        RUNS,
        alive(result=failed("NeverHeardOf")),
        Expected(Phase.RETRYING, reasons=("NeverHeardOf",), finalizer=True),
        id="a failure that nobody knows counts as the job's own",
    ),
    pytest.param(
        make_job(status=running(), backoffLimit=0),
        alive(result=failed("CUDAOutOfMemory")),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("BackoffLimitExceeded",), finished=True),
        id="a failure beyond backoffLimit fails the job",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(
    ("failures", "limit", "phase"),
    [
        pytest.param(2, 2, Phase.RETRYING, id="backoffLimit failures are retried"),
        pytest.param(3, 2, Phase.FAILED, id="one more is the end"),
        pytest.param(7, 7, Phase.RETRYING, id="failures older than the kept attempts are counted too"),
        pytest.param(8, 7, Phase.FAILED, id="so the limit holds beyond five attempts"),
    ],
)
def test_backoff_limit(failures: int, limit: int, phase: Phase) -> None:
    job = make_job(status=running(failures, failed_attempts=failures - 1), backoffLimit=limit)
    seen = alive(attempt=failures, result=failed("CUDAOutOfMemory", attempt=failures))
    assert decide(job, seen, NOW, LIMITS).status.phase is phase


def test_lost_workers_do_not_count_against_backoff_limit() -> None:
    status = running(3)  # attempts 1 and 2 lost their workers
    seen = alive(attempt=3, result=failed("CUDAOutOfMemory", attempt=3))
    assert decide(make_job(status=status, backoffLimit=1), seen, NOW, LIMITS).status.phase is Phase.RETRYING
