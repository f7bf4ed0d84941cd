"""Statuses that cannot be true, as an operator finds them when it starts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_api.keys import task_id
from recon_api.status import (
    FIRST_YEAR,
    LAST_YEAR,
    Attempt,
    CancellationState,
    CancellationStatus,
    ConditionType,
    Phase,
    Progress,
    ReconstructionJobStatus,
)
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.limits import Limits
from recon_operator.decide.observation import Observation
from recon_operator.decide.status_repair import LARGEST_NUMBER, impossible_statuses_are_set_right
from tests.operator.builders import (
    NOW,
    UID,
    ago,
    completed,
    condition,
    dispatched,
    ended,
    ended_attempts,
    finished,
    make_job,
    queued,
    requested,
    running,
)

COMPLETE = condition(ConditionType.COMPLETE, "True", "Completed", since=ago(3))
END_OF_TIME = datetime(LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)
BEGIN_OF_TIME = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


def at_start(
    status: ReconstructionJobStatus, authorised: int | None = None, *, known: bool = True, **job: Any
) -> Situation | Decision:
    """Return what the policy makes of a status that an operator finds when it starts."""
    seen = Observation(attempt=status.execution_attempts, authorised=authorised, known=known)
    return impossible_statuses_are_set_right(Situation(make_job(status=status, **job), seen, NOW, Limits(), status))


ENDED = ended("WorkerLost", number=3)
ONE, TWO, THREE = ended_attempts(3)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(ReconstructionJobStatus(), id="not seen yet"),
        pytest.param(queued(), id="queued"),
        pytest.param(dispatched(), id="sent"),
        pytest.param(running(), id="running"),
        pytest.param(running(7, attempts=running(7).attempts[-5:]), id="attempts that are no longer kept"),
        pytest.param(ENDED, id="between attempts"),
        pytest.param(running(cancellation=requested()), id="a request"),
        *(pytest.param(finished(phase), id=f"{phase}") for phase in Phase if phase.finished),
    ],
)
def test_a_status_of_ours_stays(status: ReconstructionJobStatus) -> None:
    found = at_start(status, status.execution_attempts or None)
    assert isinstance(found, Situation)
    assert (found.status, found.events) == (status, ())


OPEN_TWO = Attempt(number=2)
ENDED_BY_LATER = Attempt(number=1, end_time=NOW, reason="Superseded", message="A later attempt of the job took over")


@pytest.mark.parametrize(
    ("status", "authorised", "number", "attempts"),
    [
        pytest.param(
            ended("WorkerLost", number=1), 3, 3, (ONE, Attempt(number=3)), id="Redis has authorised a later attempt"
        ),
        pytest.param(queued(), 2, 2, (OPEN_TWO,), id="all attempts are gone, and Redis knows better"),
        pytest.param(
            queued(task_id=task_id(UID, 2)), None, 2, (OPEN_TWO,), id="all attempts are gone, and the task knows better"
        ),
        pytest.param(ended("WorkerLost", number=3, execution_attempts=1), 1, 3, (ONE, TWO, THREE), id="a lower number"),
        pytest.param(
            ended("WorkerLost", number=3, attempts=()), 3, 3, (Attempt(number=3),), id="the attempts are gone"
        ),
        pytest.param(
            ended("WorkerLost", number=3, attempts=(THREE, ONE, TWO)), 3, 3, (ONE, TWO, THREE), id="out of order"
        ),
        pytest.param(
            ended("WorkerLost", number=3, attempts=(ONE, ONE, TWO, TWO, THREE)),
            3,
            3,
            (ONE, TWO, THREE),
            id="duplicates",
        ),
        pytest.param(
            dispatched(3, attempts=(ONE, Attempt(number=2), Attempt(number=3))),
            3,
            3,
            (ONE, ENDED_BY_LATER.model_copy(update={"number": 2}), Attempt(number=3)),
            id="two open attempts",
        ),
        pytest.param(
            ended("WorkerLost", number=3, execution_attempts=10**18), 3, 3, (ONE, TWO, THREE), id="a huge number"
        ),
        pytest.param(
            ended("WorkerLost", number=3, attempts=(ONE, TWO, THREE, Attempt(number=LARGEST_NUMBER + 1))),
            3,
            3,
            (ONE, TWO, THREE),
            id="an attempt of a huge number",
        ),
        pytest.param(
            dispatched(1, execution_attempts=9), 1, 1, (Attempt(number=1),), id="a number that nothing else knows of"
        ),
        pytest.param(
            dispatched(1, execution_attempts=9),
            None,
            9,
            (ENDED_BY_LATER, Attempt(number=9)),
            id="a number that nothing else knows of, and Redis knows nothing",
        ),
        pytest.param(ENDED, 10**30, 3, (ONE, TWO, THREE), id="a huge number in Redis"),
        pytest.param(ENDED, 0, 3, (ONE, TWO, THREE), id="no attempt is authorised while the job is held"),
    ],
)
def test_attempts(
    status: ReconstructionJobStatus, authorised: int | None, number: int, attempts: tuple[Attempt, ...]
) -> None:
    found = at_start(status, authorised).status
    assert (found.execution_attempts, found.task_id) == (number, task_id(UID, number))
    assert found.attempts == attempts


def test_while_redis_is_away_its_word_does_not_count() -> None:
    assert at_start(queued(), 5, known=False).status == queued()


@pytest.mark.parametrize(
    ("deleted_s_ago", "finalizer"), [pytest.param(None, True, id="a job"), pytest.param(1.0, False, id="a deleted job")]
)
def test_an_attempt_of_which_nothing_was_read_is_looked_at_first(deleted_s_ago: float | None, finalizer: bool) -> None:
    found = at_start(queued(), 2, deleted_s_ago=deleted_s_ago)
    assert isinstance(found, Decision)
    assert (found.look_again_at, found.finalizer, found.effects) == (NOW, finalizer, ())


@pytest.mark.parametrize("task", ["", "nonsense", "uid-1.", "uid-1.x", "uid-9.77", "uid-1.2", ".3"])
def test_a_task_id_that_does_not_fit(task: str) -> None:
    assert at_start(ended("WorkerLost", number=3, task_id=task)).status == ENDED


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        pytest.param(running(phase=Phase.SUCCEEDED), Phase.RUNNING, id="an end without its condition, while it runs"),
        pytest.param(dispatched(phase=Phase.FAILED), Phase.QUEUED, id="an end without its condition, once sent"),
        pytest.param(queued(phase=Phase.CANCELLED), Phase.PENDING, id="an end without its condition, before"),
        pytest.param(running(conditions=(COMPLETE,)), Phase.SUCCEEDED, id="an end's condition without its phase"),
        pytest.param(running(phase=Phase.QUEUED), Phase.RUNNING, id="queued while it runs"),
        pytest.param(running(phase=Phase.SUSPENDED), Phase.RUNNING, id="suspended while it runs"),
        pytest.param(running(phase=Phase.CANCELLING), Phase.RUNNING, id="cancelling what nobody cancels"),
        pytest.param(dispatched(phase=Phase.RUNNING), Phase.QUEUED, id="running before a worker took it"),
    ],
)
def test_phases(status: ReconstructionJobStatus, phase: Phase) -> None:
    assert at_start(status, status.execution_attempts).status.phase is phase


@pytest.mark.parametrize("job", [{"cancellation": "Confirmed"}, {"deleted_s_ago": 1.0}])
def test_what_is_cancelled_may_be_cancelling(job: dict[str, Any]) -> None:
    status = running(phase=Phase.CANCELLING, cancellation=requested())
    assert at_start(status, 1, **job).status == status


def test_counts_are_bounded_by_the_attempts() -> None:
    status = ENDED.model_copy(
        update={"failed_attempts": 99, "ignored_attempts": 2**63 - 1, "active_seconds": 2**63 - 1}
    )
    found = at_start(status).status
    assert (found.failed_attempts, found.ignored_attempts, found.active_seconds) == (3, 3, 2**31 - 1)


def test_of_conditions_of_a_type_the_first_stays() -> None:
    twice = queued(conditions=(*queued().conditions, condition(ConditionType.QUEUED, "False", "Mine")))
    assert at_start(twice).status == queued()


def test_what_is_set_right_is_told() -> None:
    (event,) = at_start(ended("WorkerLost", number=3, task_id="x", failed_attempts=9)).events
    assert (event.reason.name, event.warning) == ("StatusCorrected", True)
    assert event.message == "failedAttempts, taskID of the status could not be true; it is set right"


@pytest.mark.parametrize("ahead", [NOW + timedelta(hours=3), END_OF_TIME])
def test_a_time_that_lies_ahead_becomes_now(ahead: datetime) -> None:
    attempt = Attempt(
        number=1, worker="worker-0", start_time=ahead, stop_time=ahead, end_time=ahead, reason="WorkerLost"
    )
    status = ended(
        "WorkerLost",
        attempts=(attempt,),
        start_time=ahead,
        progress=Progress(last_updated_time=ahead),
        conditions=(condition(ConditionType.QUEUED, "True", "Queued", since=ahead),),
    )
    found = at_start(status)
    assert isinstance(found, Situation)
    assert found.status.attempts == (attempt.model_copy(update={"start_time": NOW, "stop_time": NOW, "end_time": NOW}),)
    assert found.status.start_time == NOW
    assert found.status.progress == Progress(last_updated_time=NOW)
    assert found.status.conditions[0].last_transition_time == NOW
    assert found.events == (), "a clock is nobody's edit"


def test_a_request_from_ahead_expires_as_long_after_now_as_it_would_have() -> None:
    status = running(cancellation=requested(ago_s=-7200))
    assert at_start(status, 1).status.cancellation == requested(ago_s=0)


@pytest.mark.parametrize("expires", [END_OF_TIME, NOW, BEGIN_OF_TIME])
def test_a_request_from_the_end_of_time_expires_at_once(expires: datetime) -> None:
    noted = CancellationStatus(state=CancellationState.REQUESTED, requested_at=END_OF_TIME, expires_at=expires)
    found = at_start(running(cancellation=noted), 1).status.cancellation
    assert found is not None
    assert (found.requested_at, found.expires_at) == (NOW, NOW)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param((ago(20), ago(1)), (ago(20), ago(1)), id="as it was"),
        pytest.param((ago(-60), ago(-90)), (NOW, NOW), id="a worker's clock that is ahead"),
        pytest.param((ago(90), ago(60)), (ago(90), ago(20)), id="one that is behind: not before we saw it start"),
        pytest.param((ago(5), ago(10)), (ago(5), ago(5)), id="one that was set back meanwhile"),
        pytest.param((None, None), (None, None), id="no clock at all"),
    ],
)
def test_times_that_a_worker_tells(
    said: tuple[datetime | None, datetime | None], kept: tuple[datetime | None, datetime | None]
) -> None:
    result = completed().model_copy(update={"started_at": said[0], "finished_at": said[1]})
    seen = Observation(attempt=1, authorised=1, result=result)
    found = impossible_statuses_are_set_right(Situation(make_job(status=running()), seen, NOW, Limits(), running()))
    assert isinstance(found, Situation)
    assert found.seen.result is not None
    assert (found.seen.result.started_at, found.seen.result.finished_at) == kept


def test_an_attempt_does_not_end_before_it_starts() -> None:
    status = ended("WorkerLost", attempts=(Attempt(number=1, start_time=ago(5), end_time=ago(9)),))
    assert at_start(status).status.attempts[0].end_time == ago(5)


moments = st.datetimes(BEGIN_OF_TIME.replace(tzinfo=None), END_OF_TIME.replace(tzinfo=None), timezones=st.just(UTC))
times = st.none() | moments
attempts = st.builds(Attempt, number=st.integers(1, 9) | st.integers(1, 2**63 - 1), start_time=times, end_time=times)
forged = st.builds(
    ReconstructionJobStatus,
    phase=st.sampled_from(Phase),
    execution_attempts=st.integers(0, 9) | st.integers(0, 2**63 - 1),
    task_id=st.sampled_from(["", task_id(UID, 4), task_id(UID, 2**63), "x.y", task_id("else", 8)]),
    attempts=st.lists(attempts, max_size=7).map(tuple),
    start_time=times,
    completion_time=times,
    failed_attempts=st.integers(0, 2**63 - 1),
    conditions=st.lists(
        st.builds(
            condition,
            st.sampled_from(ConditionType),
            st.sampled_from(["True", "False"]),
            st.just("Mine"),
            since=moments,
        ),
        max_size=4,
    ).map(tuple),
)


@given(forged, st.none() | st.integers(0, 9))
@settings(deadline=None)
def test_whatever_was_written_is_set_right_at_once_and_for_good(
    status: ReconstructionJobStatus, authorised: int | None
) -> None:
    once = at_start(status, authorised).status
    again = at_start(once, authorised)
    assert (again.status, again.events) == (once, ())
    if not once.phase.finished:
        assert authorised is None or once.execution_attempts >= authorised
        assert once.execution_attempts >= max(
            (a.number for a in status.attempts if a.number <= LARGEST_NUMBER), default=0
        )
        assert once.execution_attempts <= LARGEST_NUMBER
        assert [a.number for a in once.attempts] == sorted({a.number for a in once.attempts})
        assert all(a.end_time is not None for a in once.attempts[:-1])
        assert (once.attempts[-1].number if once.attempts else 0) == once.execution_attempts
