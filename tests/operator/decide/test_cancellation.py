"""What the two steps of a cancellation decide, as a table of sentences."""

from datetime import timedelta

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    CancellationState,
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    ClearFlags,
    DiscardFiles,
    ForgetJob,
    KillAttempt,
    SetRequestFlag,
    SetStopFlag,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    ago,
    alive,
    completed,
    dispatched,
    ended,
    failed,
    make_job,
    make_observation,
    queued,
    requested,
    running,
    stopped,
    told,
)
from tests.operator.decisions import FREE, LIMITS, SILENT, UNKNOWN, Expected, outcome

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


ROWS = [
    pytest.param(
        make_job(status=running(), cancellation="Requested"),
        alive(),
        Expected(Phase.RUNNING, (SetRequestFlag(),), ("AwaitingConfirmation",), finalizer=True),
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
        Expected(Phase.RUNNING, (SetRequestFlag(),), finalizer=True),
        id="a flag that Redis lost is set again",
    ),
    pytest.param(
        make_job(status=running(cancellation=requested())),
        alive(),
        Expected(Phase.RUNNING, (ClearFlags(),), ("CancellationWithdrawn",), finalizer=True),
        id="a request can be withdrawn",
    ),
    pytest.param(
        make_job(status=running(cancellation=requested(ago_s=3600)), cancellation="Requested"),
        alive(),
        Expected(Phase.RUNNING, (ClearFlags(),), ("CancellationExpired",), finalizer=True),
        id="a request expires",
    ),
    pytest.param(
        CONFIRMED,
        alive(),
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("CancellationConfirmed",), finalizer=True),
        id="a confirmed cancellation tells the attempt to stop",
    ),
    pytest.param(
        STOPPING,
        alive(),
        Expected(Phase.CANCELLING, (SetStopFlag(), KillAttempt(1)), finalizer=True),
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
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("CancellationConfirmed",), finalizer=True),
        id="a sent job is first told to stop",
    ),
    pytest.param(
        TOLD,
        make_observation(waits_in_queue=True, stop_flag_set=True),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="a sent job is cancelled once whoever claims it later must refuse",
    ),
    pytest.param(
        SENT_STOPPING,
        alive(stop_flag_set=True),
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("CancellationConfirmed",), finalizer=True),
        id="a sent job that was claimed before it was told to stop is waited for",
    ),
    pytest.param(
        make_job(status=ended("CUDAOutOfMemory", cancellation=requested()), cancellation="Confirmed", finalizer=True),
        make_observation(),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="a job that waits for its backoff is cancelled at once",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(
            make_job(status=queued(cancellation=requested()), cancellation="Requested"),
            make_observation(attempt=0, cancellation_requested=True),
            3540,
            id="a request is looked at when it expires, also after a restart",
        ),
    ],
)
def test_when_the_job_is_looked_at_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)


@pytest.mark.parametrize(
    ("state", "spec", "seen_state"),
    [
        pytest.param(CancellationState.EXPIRED, "Requested", CancellationState.EXPIRED, id="an expiry stays"),
        pytest.param(CancellationState.EXPIRED, None, CancellationState.WITHDRAWN, id="an expired one is withdrawn"),
        pytest.param(CancellationState.WITHDRAWN, "Requested", CancellationState.REQUESTED, id="it is requested anew"),
        pytest.param(CancellationState.WITHDRAWN, None, CancellationState.WITHDRAWN, id="a withdrawal stays"),
    ],
)
def test_cancellation_states(state: CancellationState, spec: str | None, seen_state: CancellationState) -> None:
    job = make_job(status=running(cancellation=requested(state=state)), cancellation=spec)
    cancellation = decide(job, alive(), NOW, LIMITS).status.cancellation
    assert cancellation is not None
    assert cancellation.state is seen_state
