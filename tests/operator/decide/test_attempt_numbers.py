"""No number of an attempt is handed out twice, also where the resource is older than what Redis knows."""

from typing import Any

import pytest

from recon_api.keys import task_id
from recon_api.status import MAX_ATTEMPTS, Attempt, Phase, ReconstructionJobStatus
from recon_operator.decide import decide
from recon_operator.decide.decision import Decision
from recon_operator.decide.policy_settings import PolicySettings
from tests.operator.builders import (
    NOW,
    UID,
    dispatched,
    ended,
    ended_attempts,
    finished,
    make_job,
    make_observation,
    queued,
    running,
)

SUPERSEDED = {"end_time": NOW, "reason": "Superseded", "message": "A later attempt of the job took over"}
ONE, TWO = ended_attempts(2)


def restored(status: ReconstructionJobStatus, authorised: int | None, *, known: bool = True, **job: Any) -> Decision:
    """Return what is decided of a job with this status, of which Redis has authorised that attempt."""
    seen = make_observation(attempt=status.execution_attempts, authorised=authorised, known=known)
    return decide(make_job(status=status, **job), seen, NOW, PolicySettings())


@pytest.mark.parametrize(
    ("status", "authorised", "attempts"),
    [
        pytest.param(queued(), 2, (Attempt(number=2),), id="before any attempt"),
        pytest.param(ended("WorkerLost", number=2), 4, (ONE, TWO, Attempt(number=4)), id="between attempts"),
        pytest.param(
            dispatched(2),
            3,
            (ONE, Attempt(number=2).model_copy(update=SUPERSEDED), Attempt(number=3)),
            id="while an earlier one was sent",
        ),
        pytest.param(
            running(2),
            3,
            (ONE, running(2).attempts[-1].model_copy(update=SUPERSEDED), Attempt(number=3)),
            id="while an earlier one ran",
        ),
    ],
)
def test_a_job_goes_on_from_the_attempt_that_redis_knows(
    status: ReconstructionJobStatus, authorised: int, attempts: tuple[Attempt, ...]
) -> None:
    decision = restored(status, authorised)
    found = decision.status
    assert (found.execution_attempts, found.task_id, found.attempts) == (authorised, task_id(UID, authorised), attempts)
    assert (found.phase, found.worker, found.progress) == (Phase.QUEUED, None, None)
    assert (decision.look_again_at, decision.finalizer, decision.effects) == (NOW, True, ())
    assert [(event.reason.name, event.warning) for event in decision.events] == [("StatusCorrected", True)]


@pytest.mark.parametrize(
    ("status", "authorised", "known"),
    [
        pytest.param(ended("WorkerLost", number=3), 3, True, id="the same number"),
        pytest.param(ended("WorkerLost", number=3), 2, True, id="an earlier one"),
        pytest.param(ended("WorkerLost", number=3), 0, True, id="none, while the job is held"),
        pytest.param(ended("WorkerLost", number=3), None, True, id="none"),
        pytest.param(ended("WorkerLost", number=3), MAX_ATTEMPTS + 1, True, id="one that was made up"),
        pytest.param(ended("WorkerLost", number=3), 5, False, id="Redis does not answer"),
        pytest.param(finished(Phase.SUCCEEDED), 5, True, id="a job that has ended"),
    ],
)
def test_a_number_stays(status: ReconstructionJobStatus, authorised: int | None, known: bool) -> None:
    decision = restored(status, authorised, known=known)
    assert (decision.status.execution_attempts, decision.status.attempts) == (
        status.execution_attempts,
        status.attempts,
    )
    assert "StatusCorrected" not in {event.reason.name for event in decision.events}


def test_a_deleted_job_gets_no_finalizer_for_it() -> None:
    assert not restored(queued(), 2, deleted_s_ago=1.0).finalizer


def test_the_next_attempt_gets_the_next_number() -> None:
    job = make_job(status=ended("WorkerLost", number=2))
    job = job.model_copy(
        update={"status": decide(job, make_observation(attempt=2, authorised=4), NOW, PolicySettings()).status}
    )
    seen = make_observation(attempt=4, authorised=4, owner_restarted=True)
    lost = decide(job, seen, NOW, PolicySettings()).status
    assert lost.attempts[-1].end_time == NOW
    again = make_job(status=lost)
    admitted = make_observation(attempt=4, authorised=4, admitted=True)
    assert decide(again, admitted, NOW, PolicySettings()).status.execution_attempts == 5
