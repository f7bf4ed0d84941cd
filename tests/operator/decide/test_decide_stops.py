"""What a suspension and the two deadlines decide, as tables of sentences."""

from typing import Any

import pytest

from recon_api.payload import AttemptResult
from recon_api.resource import ReconstructionJob
from recon_api.status import Attempt, ConditionType, Phase, ReconstructionJobStatus
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    AssertStop,
    DiscardFiles,
    ForgetJob,
    HoldAttempts,
    KillAttempt,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    OWNER,
    ago,
    alive,
    completed,
    condition,
    dispatched,
    ended,
    failed,
    make_job,
    make_observation,
    queued,
    requested,
    running,
    told,
)
from tests.operator.decisions import LIMITS, Expected, outcome, send


def stopping(told_s_ago: float = 1.0, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job whose running attempt was told to stop."""
    return running(**{"attempts": (told(told_s_ago),), **fields})


def held_result() -> AttemptResult:
    """Return the result of an attempt that stopped because it was held."""
    return failed("Suspended", message="the job is held")


HELD = alive(authorised=0)
RESUMED = make_job(status=ended("Suspended", phase=Phase.SUSPENDED))

SUSPENSION = [
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
        Expected(Phase.CANCELLING, (AssertStop(),), ("CancellationConfirmed",), finalizer=True),
        id="a cancellation that is confirmed meanwhile wins",
    ),
    pytest.param(
        make_job(status=stopping(), suspend=True, deleted_s_ago=0.1),
        HELD,
        Expected(Phase.CANCELLING, (AssertStop(),), ("Deleted",), finalizer=True),
        id="so does a deletion",
    ),
]

SPENT: dict[str, Any] = {"activeDeadlineSeconds": 20}

DEADLINES = [
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


@pytest.mark.parametrize(("job", "seen", "expected"), [*SUSPENSION, *DEADLINES])
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
