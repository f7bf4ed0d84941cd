"""What is decided about a job that is deleted: it stops, and the object goes, whatever else fails."""

from dataclasses import replace

import pytest

from recon_api.resource import FINALIZER, ReconstructionJob
from recon_api.status import Phase
from recon_operator.decide import decide
from recon_operator.decide.decision import DiscardFiles, ForgetJob, KillAttempt, SetStopFlag, StopLater
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    OWNER,
    alive,
    dispatched,
    ended,
    make_job,
    make_observation,
    queued,
    requested,
    running,
    stopped,
    told,
)
from tests.operator.decisions import LIMITS, Expected, outcome

FREE = make_observation(attempt=0, authorised=None, admitted=True)
UNKNOWN = Observation(known=False, attempt=1)
STOPPING = running(phase=Phase.CANCELLING, attempts=(told(10.0),))
RETRYING = ended("ReconstructionFailed", phase=Phase.RETRYING)
CLEARED_UP = (ForgetJob(), DiscardFiles("any"))


def held(job: ReconstructionJob) -> ReconstructionJob:
    """Return a job that somebody else's finalizer holds as well."""
    finalizers = (*job.metadata.finalizers, "foregroundDeletion")
    return job.model_copy(update={"metadata": job.metadata.model_copy(update={"finalizers": finalizers})})


DELETION = [
    pytest.param(
        make_job(status=queued(), deleted_s_ago=0.1),
        FREE,
        Expected(Phase.QUEUED, attempts=0),
        id="a deleted job that was never sent just goes",
    ),
    pytest.param(
        make_job(status=queued(), finalizer=True, deleted_s_ago=0.1),
        Observation(known=False),
        Expected(Phase.QUEUED, attempts=0),
        id="one that was about to be sent goes without Redis too",
    ),
    pytest.param(
        make_job(status=dispatched(), deleted_s_ago=0.1),
        make_observation(),
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("Deleted",), finalizer=True),
        id="one that was sent is told to stop first: it may be claimed this moment",
    ),
    pytest.param(
        make_job(status=dispatched(phase=Phase.CANCELLING), deleted_s_ago=1.0),
        make_observation(waits_in_queue=True, stop_flag_set=True),
        Expected(Phase.CANCELLING, CLEARED_UP),
        id="one that nobody has taken since goes",
    ),
    pytest.param(
        make_job(status=dispatched(phase=Phase.CANCELLING), deleted_s_ago=1.0),
        make_observation(unsent=True, stop_flag_set=True),
        Expected(Phase.CANCELLING, CLEARED_UP),
        id="one that was never sent goes, too",
    ),
    pytest.param(
        make_job(status=dispatched(phase=Phase.CANCELLING), deleted_s_ago=1.0),
        make_observation(stop_flag_set=True, silent_s=LIMITS.lost_after_s - 0.1),
        Expected(Phase.CANCELLING, (SetStopFlag(),), finalizer=True),
        id="where Redis has lost message and claim, a worker may have taken it before",
    ),
    pytest.param(
        make_job(status=dispatched(phase=Phase.CANCELLING), deleted_s_ago=1.0),
        make_observation(stop_flag_set=True, silent_s=LIMITS.lost_after_s),
        Expected(Phase.CANCELLING, CLEARED_UP),
        id="but that worker has stopped once it has been without Redis for long enough",
    ),
    pytest.param(
        make_job(status=dispatched(phase=Phase.CANCELLING), deleted_s_ago=1.0),
        make_observation(stop_flag_set=True, claim=OWNER),
        Expected(Phase.CANCELLING, (SetStopFlag(),), finalizer=True),
        id="one that was taken before it was told is waited for",
    ),
    pytest.param(
        make_job(status=running(), deleted_s_ago=0.1),
        alive(),
        Expected(Phase.CANCELLING, (SetStopFlag(),), ("Deleted",), finalizer=True),
        id="one that runs is stopped first",
    ),
    pytest.param(
        make_job(status=STOPPING, deleted_s_ago=10.0),
        alive(),
        Expected(Phase.CANCELLING, (SetStopFlag(), KillAttempt(1)), finalizer=True),
        id="one that does not stop is killed",
    ),
    pytest.param(
        make_job(status=STOPPING, deleted_s_ago=10.0),
        alive(result=stopped()),
        Expected(Phase.CANCELLING, CLEARED_UP),
        id="one that has stopped goes",
    ),
    pytest.param(
        make_job(status=running(cancellation=requested()), cancellation="Requested", deleted_s_ago=0.1),
        alive(result=stopped()),
        Expected(Phase.RUNNING, CLEARED_UP),
        id="a request to cancel it changes nothing",
    ),
    pytest.param(
        make_job(status=RETRYING, finalizer=True, deleted_s_ago=0.1),
        make_observation(),
        Expected(Phase.RETRYING, CLEARED_UP),
        id="one that waits for its backoff goes with its finished steps",
    ),
    pytest.param(
        make_job(status=RETRYING, finalizer=True, deleted_s_ago=0.1),
        UNKNOWN,
        Expected(Phase.RETRYING, finalizer=True),
        id="without Redis its finished steps can't be removed, so it waits",
    ),
    pytest.param(
        make_job(status=running(), deleted_s_ago=299.0),
        UNKNOWN,
        Expected(Phase.CANCELLING, reasons=("Deleted",), finalizer=True),
        id="without Redis one that runs waits",
    ),
    pytest.param(
        make_job(status=running(phase=Phase.CANCELLING), deleted_s_ago=300.0),
        UNKNOWN,
        Expected(Phase.CANCELLING, (StopLater("any"),)),
        id="but not for ever: it is stopped once Redis is back",
    ),
    pytest.param(
        held(make_job(status=STOPPING, deleted_s_ago=10.0)),
        alive(result=stopped()),
        Expected(Phase.CANCELLED, (DiscardFiles("any"), ForgetJob()), ("Cancelled",), finished=True),
        id="one that somebody else holds is done with, so that it holds no worker",
    ),
    pytest.param(
        held(make_job(status=queued(), deleted_s_ago=0.1)),
        FREE,
        Expected(Phase.CANCELLED, (ForgetJob(),), ("Cancelled",), finished=True, attempts=0),
        id="so is one that somebody else holds and that was never sent",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), DELETION)
def test_deletion(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


def test_a_job_that_went_unstopped_is_looked_at_again_where_somebody_else_holds_it() -> None:
    job = held(make_job(status=running(phase=Phase.CANCELLING), deleted_s_ago=300.0))
    decision = decide(job, UNKNOWN, NOW, LIMITS)
    assert decision.look_again_at
    assert FINALIZER in job.metadata.finalizers
    assert not decision.finalizer
    back = replace(alive(), stop_flag_set=True, result=stopped())
    assert decide(job, back, NOW, LIMITS).status.phase is Phase.CANCELLED
