"""What a suspension decides, as a table of sentences."""

import pytest

from recon_api.resource import RESTORED_ANNOTATION, ReconstructionJob
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
    KillAttempt,
    SetStopFlag,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    OWNER,
    ago,
    alive,
    completed,
    dispatched,
    ended,
    failed,
    make_job,
    make_observation,
    requested,
    running,
)
from tests.operator.decisions import FREE, LIMITS, Expected, held_result, outcome, send, stopping

SUSPENDED = make_job(suspend=True)
HELD = alive(authorised=0)
RESUMED = make_job(status=ended("Suspended", phase=Phase.SUSPENDED))


ON_HOLD, GO_ON = {RESTORED_ANNOTATION: "Hold"}, {RESTORED_ANNOTATION: "Run"}

ROWS = [
    pytest.param(
        make_job(annotations=ON_HOLD),
        FREE,
        Expected(Phase.SUSPENDED, reasons=("Restored",), attempts=0),
        id="a restored job is held even where a worker is free",
    ),
    pytest.param(
        make_job(annotations=ON_HOLD, deleted_s_ago=1.0),
        FREE,
        Expected(Phase.PENDING, attempts=0),
        id="a restored job that is deleted goes",
    ),
    pytest.param(
        make_job(annotations=ON_HOLD, status=running()),
        alive(),
        Expected(Phase.RUNNING, finalizer=True),
        id="the annotation stops nothing that runs",
    ),
    pytest.param(
        (released := make_job(annotations=GO_ON)),
        FREE,
        Expected(Phase.QUEUED, (send(released, 1),), ("Dispatched",), finalizer=True),
        id="a restored job runs once its annotation says so",
    ),
    pytest.param(
        SUSPENDED,
        FREE,
        Expected(Phase.SUSPENDED, reasons=("Suspended",), attempts=0),
        id="a suspended job is held even where a worker is free",
    ),
    pytest.param(
        make_job(status=running(), suspend=True),
        alive(),
        Expected(Phase.RUNNING, (HoldAttempts(),), ("Suspending",), finalizer=True),
        id="a running attempt is told to stop, and its job is Running until it has",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        HELD,
        Expected(Phase.RUNNING, (HoldAttempts(),), finalizer=True),
        id="it is told again, without another word",
    ),
    pytest.param(
        make_job(status=stopping(10.0), suspend=True),
        HELD,
        Expected(Phase.RUNNING, (HoldAttempts(), KillAttempt(1)), finalizer=True),
        id="one that does not stop within the grace time is killed",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        alive(authorised=0, result=held_result()),
        Expected(Phase.SUSPENDED, reasons=("Suspended",), finalizer=True),
        id="one that has stopped leaves its job suspended",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        alive(authorised=0, result=failed("WorkerCrashed")),
        Expected(Phase.SUSPENDED, reasons=("Suspended",), finalizer=True),
        id="one that was killed leaves its job suspended",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        make_observation(authorised=0, claim=OWNER, silent_s=25.0),
        Expected(Phase.SUSPENDED, reasons=("Suspended",), finalizer=True),
        id="one whose worker was lost meanwhile leaves its job suspended",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        alive(authorised=0, result=completed()),
        Expected(Phase.SUCCEEDED, (ForgetJob(),), ("Completed",), finished=True),
        id="one that was done before it stopped has succeeded",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        alive(authorised=0, result=failed("InputRejected")),
        Expected(Phase.FAILED, (DiscardFiles("any"), ForgetJob()), ("InputRejected",), finished=True),
        id="one that found the user's mistake before it stopped fails its job",
    ),
    pytest.param(
        make_job(status=running(), suspend=True),
        alive(result=failed("CUDAOutOfMemory")),
        Expected(Phase.SUSPENDED, reasons=("CUDAOutOfMemory", "Suspended"), finalizer=True),
        id="one that failed before it was told counts as failed",
    ),
    pytest.param(
        make_job(status=running(), suspend=True),
        make_observation(claim=OWNER, silent_s=25.0),
        Expected(Phase.SUSPENDED, reasons=("WorkerLost", "Suspended"), finalizer=True),
        id="one whose worker was lost before it was told is lost",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True),
        Observation(known=False, attempt=1),
        Expected(Phase.RUNNING, finalizer=True),
        id="one of which nothing is known stays as it is",
    ),
    pytest.param(
        make_job(status=dispatched(), suspend=True),
        make_observation(waits_in_queue=True),
        Expected(Phase.QUEUED, (HoldAttempts(),), ("Suspending",), finalizer=True),
        id="an attempt that nobody has taken is called back",
    ),
    pytest.param(
        make_job(status=dispatched(attempts=(Attempt(number=1, stop_time=ago(1)),)), suspend=True),
        make_observation(authorised=0, waits_in_queue=True),
        Expected(Phase.SUSPENDED, reasons=("Suspended",), finalizer=True),
        id="once it can't be taken any more its job is suspended",
    ),
    pytest.param(
        make_job(status=stopping()),
        HELD,
        Expected(Phase.RUNNING, (HoldAttempts(),), finalizer=True),
        id="a job that is resumed while it stops goes on stopping",
    ),
    pytest.param(
        make_job(status=stopping()),
        alive(authorised=0, result=held_result()),
        Expected(Phase.QUEUED, reasons=("Queued",), finalizer=True),
        id="and is queued once it has stopped",
    ),
    pytest.param(
        RESUMED,
        make_observation(authorised=0, admitted=True),
        Expected(Phase.QUEUED, (send(RESUMED, 2),), ("Dispatched",), finalizer=True, attempts=2),
        id="a resumed job is sent as another attempt, without a wait",
    ),
    pytest.param(
        make_job(status=stopping(cancellation=requested()), suspend=True, cancellation="Confirmed"),
        HELD,
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("CancellationConfirmed",), finalizer=True),
        id="a cancellation that is confirmed meanwhile wins",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True, deleted_s_ago=0.1),
        HELD,
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("Deleted",), finalizer=True),
        id="so does a deletion",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


def test_what_stopped_counts_neither_as_failed_nor_as_lost() -> None:
    job = make_job(status=stopping(), suspend=True)
    status = decide(job, alive(authorised=0, result=held_result()), NOW, LIMITS).status
    assert (status.failed_attempts, status.ignored_attempts, status.active_seconds) == (0, 0, 20)
    assert (status.attempts[-1].reason, status.attempts[-1].end_time) == ("Suspended", NOW)


def test_only_a_job_of_which_nothing_runs_has_the_condition_suspended() -> None:
    running_still = decide(make_job(status=running(), suspend=True), alive(), NOW, LIMITS).status
    assert running_still.condition(ConditionType.SUSPENDED) is None
    held = decide(make_job(status=stopping(), suspend=True), alive(result=held_result()), NOW, LIMITS).status
    suspended = held.condition(ConditionType.SUSPENDED)
    assert suspended is not None
    assert (suspended.status, held.phase) == ("True", Phase.SUSPENDED)
