"""What a worker's result decides, as a table of sentences."""

import pytest

from recon_api.payload import AttemptResult, ClaimOwner
from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    ClearFlags,
    ForgetJob,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import NOW, OWNER, alive, completed, failed, make_job, make_observation, running, stopped
from tests.operator.decisions import LIMITS, RUNS, SENT, Expected, outcome

ROWS = [
    pytest.param(
        RUNS,
        alive(result=completed()),
        Expected(Phase.SUCCEEDED, (ForgetJob(),), ("Completed",), finished=True),
        id="a completed attempt succeeds",
    ),
    pytest.param(
        SENT,
        make_observation(result=completed()),
        Expected(Phase.SUCCEEDED, (ForgetJob(),), ("Completed",), finished=True),
        id="a job that is done before anybody looked succeeds all the same",
    ),
    pytest.param(
        make_job(status=running(2)),
        make_observation(attempt=2, result=completed(attempt=1), claim=OWNER, leased=True, authorised=2),
        Expected(Phase.RUNNING, finalizer=True, attempts=2),
        id="a result of an earlier attempt counts for nothing",
    ),
    pytest.param(
        RUNS,
        alive(result=failed("WorkerStopped")),
        Expected(Phase.QUEUED, reasons=("WorkerStopped", "Queued"), finalizer=True),
        id="a worker that shut down gives its job back without counting",
    ),
    pytest.param(
        RUNS,
        alive(result=stopped()),
        Expected(Phase.QUEUED, (ClearFlags(),), ("Superseded", "Queued"), finalizer=True),
        id="an attempt that stopped for a stale flag is tried again without it",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


def test_a_result_of_another_worker_is_taken_as_it_is() -> None:
    other = ClaimOwner(worker="worker-9", boot_id="b", nonce="n")
    result = AttemptResult(outcome="completed", attempt=1, worker="worker-9")
    status = decide(RUNS, alive(claim=other, result=result), NOW, LIMITS).status
    assert (status.phase, status.attempts[-1].worker) == (Phase.SUCCEEDED, "worker-0")
