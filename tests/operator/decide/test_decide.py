"""What a pass decides, as a table of sentences. The parts of a decision that a row leaves out are not what it is about."""

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import CancellationState, Phase
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    AssertRequest,
    AssertStop,
    AuthoriseAttempt,
    DiscardFiles,
    ForgetJob,
    KillAttempt,
    WithdrawRequest,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    LABELLED,
    NOW,
    OWNER,
    ago,
    alive,
    completed,
    dispatched,
    ended,
    failed,
    finished,
    make_job,
    make_observation,
    queued,
    requested,
    running,
    stopped,
    told,
)
from tests.operator.decisions import LIMITS, Expected, outcome, send

NOBODY = make_observation(attempt=0, authorised=None)
FREE = make_observation(attempt=0, authorised=None, admitted=True)
SILENT = make_observation(claim=OWNER, silent_s=25.0)
UNKNOWN = Observation(known=False, attempt=1)


NEW = make_job()
SUSPENDED = make_job(suspend=True)
RETRY = make_job(status=ended("ReconstructionFailed", ended_s_ago=11.0))

QUEUEING = [
    pytest.param(NEW, NOBODY, Expected(Phase.QUEUED, reasons=("Queued",), attempts=0), id="a new job is queued"),
    pytest.param(
        NEW,
        make_observation(attempt=0, workers=0),
        Expected(Phase.QUEUED, reasons=("NoWorkers",), attempts=0),
        id="a new job says that no worker is connected",
    ),
    pytest.param(
        NEW,
        Observation(known=False),
        Expected(Phase.QUEUED, reasons=("Queued",), attempts=0),
        id="a new job is queued while Redis does not answer",
    ),
    pytest.param(
        NEW,
        FREE,
        Expected(Phase.QUEUED, (send(NEW, 1),), ("Dispatched",), finalizer=True),
        id="a new job is sent at once where a worker is free",
    ),
    pytest.param(
        make_job(status=queued()),
        NOBODY,
        Expected(Phase.QUEUED, attempts=0),
        id="a queued job goes on waiting without a word",
    ),
    pytest.param(
        SUSPENDED,
        FREE,
        Expected(Phase.SUSPENDED, reasons=("Suspended",), attempts=0),
        id="a suspended job is held even where a worker is free",
    ),
    pytest.param(
        make_job(status=queued(phase=Phase.SUSPENDED)),
        NOBODY,
        Expected(Phase.QUEUED, reasons=("Queued",), attempts=0),
        id="a resumed job is queued again",
    ),
    pytest.param(
        make_job(managedBy="example.com/other"),
        FREE,
        Expected(Phase.PENDING, attempts=0),
        id="a job of another controller is left alone",
    ),
    pytest.param(
        make_job(status=ended("ReconstructionFailed", ended_s_ago=9.0)),
        make_observation(admitted=True),
        Expected(Phase.RETRYING),
        id="a failed attempt waits for its backoff",
    ),
    pytest.param(
        RETRY,
        make_observation(admitted=True),
        Expected(Phase.QUEUED, (send(RETRY, 2),), ("Dispatched",), finalizer=True, attempts=2),
        id="after its backoff the next attempt is sent",
    ),
    pytest.param(
        make_job(status=ended("CUDAOutOfMemory", ended_s_ago=11.0)),
        make_observation(admitted=True, result=failed("CUDAOutOfMemory", retry_after_s=30.0)),
        Expected(Phase.RETRYING),
        id="a worker may ask for a longer wait than the backoff",
    ),
]

SENT = make_job(status=dispatched())
RUNS = make_job(status=running())

ATTEMPTS = [
    pytest.param(
        SENT,
        make_observation(waits_in_queue=True),
        Expected(Phase.QUEUED, finalizer=True),
        id="a message in the queue is waited for",
    ),
    pytest.param(
        SENT,
        make_observation(silent_s=24.9),
        Expected(Phase.QUEUED, finalizer=True),
        id="a message that is nowhere may be on its way",
    ),
    pytest.param(
        SENT,
        make_observation(silent_s=25.0),
        Expected(Phase.QUEUED, (send(SENT, 1),), finalizer=True),
        id="a message that stays nowhere is sent again, with the same number",
    ),
    pytest.param(
        SENT,
        make_observation(unsent=True),
        Expected(Phase.QUEUED, (send(SENT, 1),), finalizer=True),
        id="a message that is known not to be sent is sent at once",
    ),
    pytest.param(
        SENT,
        UNKNOWN,
        Expected(Phase.QUEUED, finalizer=True),
        id="an unclaimed attempt stays as it is while Redis does not answer",
    ),
    pytest.param(
        SENT,
        make_observation(authorised=None, waits_in_queue=True),
        Expected(Phase.QUEUED, (AuthoriseAttempt(1),), finalizer=True),
        id="a forgotten authorisation is written again",
    ),
    pytest.param(
        SENT,
        alive(),
        Expected(Phase.RUNNING, reasons=("Started",), finalizer=True),
        id="an attempt with a claim and a lease runs",
    ),
    pytest.param(
        SENT,
        make_observation(claim=OWNER),
        Expected(Phase.QUEUED, finalizer=True),
        id="a claim without a lease does not run yet",
    ),
    pytest.param(RUNS, alive(), Expected(Phase.RUNNING, finalizer=True), id="a running attempt goes on"),
    pytest.param(
        RUNS,
        make_observation(claim=OWNER, silent_s=24.9),
        Expected(Phase.RUNNING, finalizer=True),
        id="a lease that lapsed shortly ago proves nothing",
    ),
    pytest.param(
        RUNS,
        UNKNOWN,
        Expected(Phase.RUNNING, finalizer=True),
        id="a running attempt stays as it is while Redis does not answer",
    ),
    pytest.param(
        RUNS,
        alive(authorised=None),
        Expected(Phase.RUNNING, (AuthoriseAttempt(1),), finalizer=True),
        id="a running attempt is authorised again after Redis lost everything",
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

RESULTS = [
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
    pytest.param(
        RUNS,
        alive(result=failed("WorkerStopped")),
        Expected(Phase.QUEUED, reasons=("WorkerStopped", "Queued"), finalizer=True),
        id="a worker that shut down gives its job back without counting",
    ),
    pytest.param(
        RUNS,
        alive(result=stopped()),
        Expected(Phase.QUEUED, (WithdrawRequest(),), ("Superseded", "Queued"), finalizer=True),
        id="an attempt that stopped for a stale flag is tried again without it",
    ),
]

ASKED = make_job(status=running(cancellation=requested()), cancellation="Requested")
CONFIRMED = make_job(status=running(cancellation=requested()), cancellation="Confirmed")
STOPPING = make_job(
    status=running(
        phase=Phase.CANCELLING,
        attempts=(told(10.0),),
        cancellation=requested(state=CancellationState.STOPPING).model_copy(update={"confirmed_at": ago(10)}),
    ),
    cancellation="Confirmed",
)
SENT_STOPPING = make_job(status=dispatched(cancellation=requested()), cancellation="Confirmed")
TOLD = make_job(
    status=dispatched(phase=Phase.CANCELLING, cancellation=requested(state=CancellationState.STOPPING)),
    cancellation="Confirmed",
)

CANCELLATION = [
    pytest.param(
        make_job(status=running(), cancellation="Requested"),
        alive(),
        Expected(Phase.RUNNING, (AssertRequest(),), ("AwaitingConfirmation",), finalizer=True),
        id="a requested cancellation stops nothing",
    ),
    pytest.param(
        ASKED,
        alive(cancellation_requested=True),
        Expected(Phase.RUNNING, finalizer=True),
        id="a request that is noted goes on waiting",
    ),
    pytest.param(
        ASKED,
        alive(),
        Expected(Phase.RUNNING, (AssertRequest(),), finalizer=True),
        id="a flag that Redis lost is set again",
    ),
    pytest.param(
        make_job(status=running(cancellation=requested())),
        alive(),
        Expected(Phase.RUNNING, (WithdrawRequest(),), ("CancellationWithdrawn",), finalizer=True),
        id="a request can be withdrawn",
    ),
    pytest.param(
        make_job(status=running(cancellation=requested(ago_s=3600)), cancellation="Requested"),
        alive(),
        Expected(Phase.RUNNING, (WithdrawRequest(),), ("CancellationExpired",), finalizer=True),
        id="a request expires",
    ),
    pytest.param(
        CONFIRMED,
        alive(),
        Expected(Phase.CANCELLING, (AssertStop(),), ("CancellationConfirmed",), finalizer=True),
        id="a confirmed cancellation tells the attempt to stop",
    ),
    pytest.param(
        STOPPING,
        alive(),
        Expected(Phase.CANCELLING, (AssertStop(), KillAttempt(1)), finalizer=True),
        id="an attempt that does not stop within the grace time is killed",
    ),
    pytest.param(STOPPING, UNKNOWN, Expected(Phase.CANCELLING, finalizer=True), id="a stopping job waits for Redis"),
    pytest.param(
        STOPPING,
        alive(result=stopped()),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="an attempt that stopped is cancelled",
    ),
    pytest.param(
        STOPPING,
        SILENT,
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="cancelling wins over losing the worker",
    ),
    pytest.param(
        STOPPING,
        alive(result=failed("CUDAOutOfMemory")),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="a job that fails while it is cancelled is cancelled",
    ),
    pytest.param(
        STOPPING,
        alive(result=completed()),
        Expected(Phase.SUCCEEDED, (ForgetJob(),), ("Completed",), finished=True),
        id="a job that is done before the cancellation reached it has succeeded",
    ),
    pytest.param(
        make_job(status=queued(cancellation=requested()), cancellation="Confirmed"),
        FREE,
        Expected(Phase.CANCELLED, (ForgetJob(),), ("Cancelled",), finished=True, attempts=0),
        id="a queued job is cancelled at once and never sent",
    ),
    pytest.param(
        SENT_STOPPING,
        make_observation(waits_in_queue=True),
        Expected(Phase.CANCELLING, (AssertStop(),), ("CancellationConfirmed",), finalizer=True),
        id="a sent job is first told to stop",
    ),
    pytest.param(
        TOLD,
        make_observation(waits_in_queue=True, stop_asserted=True),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="a sent job is cancelled once whoever claims it later must refuse",
    ),
    pytest.param(
        SENT_STOPPING,
        alive(stop_asserted=True),
        Expected(Phase.CANCELLING, (AssertStop(),), ("CancellationConfirmed",), finalizer=True),
        id="a sent job that was claimed before it was told to stop is waited for",
    ),
    pytest.param(
        make_job(status=ended("CUDAOutOfMemory", cancellation=requested()), cancellation="Confirmed", finalizer=True),
        make_observation(),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="a job that waits for its backoff is cancelled at once",
    ),
]

FINISHED = [
    pytest.param(
        make_job(status=finished(Phase.SUCCEEDED), labels=LABELLED),
        alive(),
        Expected(Phase.SUCCEEDED, finished=True),
        id="a finished job stays finished",
    ),
    pytest.param(
        make_job(status=finished(Phase.CANCELLED), finalizer=True),
        make_observation(stop_asserted=True),
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


@pytest.mark.parametrize(("job", "seen", "expected"), [*QUEUEING, *ATTEMPTS, *RESULTS, *CANCELLATION, *FINISHED])
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected
