"""What holds for a job's times whatever the clock does between two looks at it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_api.payload import AttemptResult
from recon_api.resource import ReconstructionJob
from recon_api.spec import MAX_SECONDS
from recon_api.status import (
    FIRST_YEAR,
    LAST_YEAR,
    Attempt,
    CancellationState,
    CancellationStatus,
    ConditionType,
    Progress,
    ReconstructionJobStatus,
)
from recon_api.steps import Step
from recon_operator.decide import decide
from recon_operator.decide.clock_skew import times_that_lie_ahead_are_now
from recon_operator.decide.context import Context
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from tests.operator.builders import (
    NOW,
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
    report,
    requested,
    running,
)
from tests.operator.decide.test_decide_properties import after, jobs, observations

LIMITS = PolicySettings()
A_DAY_S = 86_400.0

jumps = st.lists(st.floats(-A_DAY_S, A_DAY_S) | st.floats(-10, 10), min_size=1, max_size=6)
skews = st.floats(-A_DAY_S, A_DAY_S)
"""How far the worker's clock is off."""


@st.composite
def looks(draw: st.DrawFn, job: ReconstructionJob, now: datetime) -> Observation:
    """Draw what is seen of a job, by workers whose clocks are their own."""
    seen = draw(observations(job))
    if seen.result is None:
        return seen
    start = now + timedelta(seconds=draw(skews))
    times = {"started_at": start, "finished_at": start + timedelta(seconds=draw(st.floats(-5, 5)))}
    return make_observation(**{**vars(seen), "result": seen.result.model_copy(update=times)})


def check_times(job: ReconstructionJob, now: datetime) -> None:
    """Check that no time of a status of ours runs backwards, or lies ahead."""
    status = job.status
    if not job.is_ours:
        return
    for attempt in status.attempts:
        if attempt.start_time and attempt.end_time:
            assert attempt.end_time >= attempt.start_time
    if status.start_time and status.completion_time:
        assert status.completion_time >= status.start_time
    if status.phase.finished:
        return
    for attempt in status.attempts:
        assert all(at <= now for at in (attempt.start_time, attempt.stop_time, attempt.end_time) if at)
    assert all(condition.last_transition_time <= now for condition in status.conditions)
    noted = status.cancellation
    if noted and noted.expires_at and noted.state == "Requested":
        assert noted.expires_at <= now + timedelta(seconds=LIMITS.cancellation_expiry_s)


def is_in_order(job: ReconstructionJob) -> bool:
    """Say whether no attempt of a job has ended before it started: somebody may have written that, and it stays so."""
    return all(each.end_time >= each.start_time for each in job.status.attempts if each.start_time and each.end_time)


@given(st.data(), jobs().filter(is_in_order), jumps)
@settings(max_examples=60, deadline=None)
def test_times_never_run_backwards(data: st.DataObject, job: ReconstructionJob, deltas: list[float]) -> None:
    now = NOW
    for delta_s in deltas:
        now += timedelta(seconds=delta_s)
        decision = decide(job, data.draw(looks(job, now)), now, LIMITS)
        assert decision.look_again_at is None or decision.look_again_at >= now - timedelta(seconds=1)
        job = after(job, decision)
        if job.metadata.deletion_timestamp is None or decision.finalizer:
            check_times(job, now)


@given(st.floats(0, 10 * A_DAY_S))
@settings(deadline=None)
def test_a_request_expires_though_the_clock_is_set_back(back_s: float) -> None:
    job = make_job(status=queued(cancellation=requested(ago_s=0)), cancellation="Requested")
    now = NOW - timedelta(seconds=back_s)
    job = after(job, decide(job, make_observation(attempt=0), now, LIMITS))
    later = now + timedelta(seconds=LIMITS.cancellation_expiry_s + 1)
    status = decide(job, make_observation(attempt=0), later, LIMITS).status
    assert status.cancellation is not None
    assert status.cancellation.state == "Expired"


@given(st.floats(0, 10 * A_DAY_S))
@settings(deadline=None)
def test_a_backoff_ends_though_the_clock_is_set_back(back_s: float) -> None:
    job = make_job(status=ended("CUDAOutOfMemory", failed_attempts=1))
    seen = make_observation(admitted=True)
    now = NOW - timedelta(seconds=back_s)
    job = after(job, decide(job, seen, now, LIMITS))
    assert decide(job, seen, now + timedelta(seconds=11), LIMITS).status.execution_attempts == 2


@given(st.floats(0, 10 * A_DAY_S))
@settings(deadline=None)
def test_progress_goes_on_though_the_clock_is_set_back(back_s: float) -> None:
    shown = Progress(percentage=30, step=Step.RECONSTRUCTION, last_updated_time=NOW)
    job = make_job(status=running(progress=shown))
    now = NOW - timedelta(seconds=back_s)
    job = after(job, decide(job, alive(progress=report(40.0)), now, LIMITS))
    later = now + timedelta(seconds=LIMITS.progress_interval_s + 1)
    progress = decide(job, alive(progress=report(50.0)), later, LIMITS).status.progress
    assert progress is not None
    assert progress.percentage == 50


END_OF_TIME = datetime(LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)
BEGIN_OF_TIME = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)


def looked_at(status: ReconstructionJobStatus, **seen: Any) -> Context:
    """Return what the policy makes of a status."""
    context = Context(make_job(status=status), make_observation(**seen), NOW, LIMITS, status)
    found = times_that_lie_ahead_are_now(context)
    assert isinstance(found, Context)
    return found


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
    found = looked_at(status)
    assert found.status.attempts == (attempt.model_copy(update={"start_time": NOW, "stop_time": NOW, "end_time": NOW}),)
    assert found.status.start_time == NOW
    assert found.status.progress == Progress(last_updated_time=NOW)
    assert found.status.conditions[0].last_transition_time == NOW
    assert found.events == (), "a clock is nobody's edit"


def test_a_request_from_ahead_expires_as_long_after_now_as_it_would_have() -> None:
    status = running(cancellation=requested(ago_s=-7200))
    assert looked_at(status).status.cancellation == requested(ago_s=0)


@pytest.mark.parametrize("expires", [END_OF_TIME, NOW, BEGIN_OF_TIME])
def test_a_request_from_the_end_of_time_expires_at_once(expires: datetime) -> None:
    noted = CancellationStatus(state=CancellationState.REQUESTED, requested_at=END_OF_TIME, expires_at=expires)
    found = looked_at(running(cancellation=noted)).status.cancellation
    assert found is not None
    assert (found.requested_at, found.expires_at) == (NOW, NOW)


HOUR_S = 3600.0
UNSEEN = dispatched(conditions=(condition(ConditionType.QUEUED, "True", "Dispatched", since=ago(30)),))


def ran(
    status: ReconstructionJobStatus, said: tuple[datetime, datetime], ran_s: float | None, result: AttemptResult
) -> tuple[datetime | None, datetime | None, int]:
    """Return when the attempt started and ended, as the status says, and the running time that was added up."""
    told = result.model_copy(update={"started_at": said[0], "finished_at": said[1], "ran_s": ran_s})
    after_end = decide(make_job(status=status), alive(result=told), NOW, LIMITS).status
    return after_end.attempts[-1].start_time, after_end.attempts[-1].end_time, after_end.active_seconds


@pytest.mark.parametrize("result", [completed(), failed("CUDAOutOfMemory")], ids=["completed", "failed"])
@pytest.mark.parametrize(
    ("status", "said", "ran_s", "kept"),
    [
        pytest.param(running(), (ago(20), ago(1)), 19.2, (ago(20), ago(0.8), 20), id="one clock"),
        pytest.param(
            running(), (ago(20 + HOUR_S), ago(1 + HOUR_S)), 19.2, (ago(20), ago(0.8), 20), id="an hour behind"
        ),
        pytest.param(running(), (ago(20 - HOUR_S), ago(1 - HOUR_S)), 19.2, (ago(20), ago(0.8), 20), id="an hour ahead"),
        pytest.param(running(), (ago(20), ago(HOUR_S)), 19.2, (ago(20), ago(0.8), 20), id="set back during the run"),
        pytest.param(running(), (ago(20), ago(-HOUR_S)), 19.2, (ago(20), ago(0.8), 20), id="set ahead during the run"),
        pytest.param(running(), (ago(20), ago(15)), 5.0, (ago(20), ago(15), 5), id="we were away at the end"),
        pytest.param(running(), (ago(90), ago(2)), 88.0, (ago(20), NOW, 88), id="we were away at the start"),
        pytest.param(running(), (ago(20), ago(1)), 1e300, (ago(20), NOW, MAX_SECONDS), id="a time beyond all bounds"),
        pytest.param(running(), (ago(20 + HOUR_S), ago(HOUR_S)), None, (ago(20), NOW, 20), id="an older worker"),
        pytest.param(UNSEEN, (ago(20), ago(1)), 19.0, (ago(20), ago(1), 19), id="nobody saw it start"),
        pytest.param(
            UNSEEN, (ago(20 + HOUR_S), ago(1 + HOUR_S)), 19.0, (ago(30), ago(11), 19), id="nobody, an hour behind"
        ),
        pytest.param(UNSEEN, (ago(20 - HOUR_S), ago(1 - HOUR_S)), 19.0, (ago(19), NOW, 19), id="nobody, an hour ahead"),
        pytest.param(UNSEEN, (ago(20), ago(1)), None, (ago(20), ago(1), 19), id="nobody, an older worker"),
    ],
)
def test_an_attempt_ran_for_as_long_as_its_worker_s_steady_clock_says(
    status: ReconstructionJobStatus,
    said: tuple[datetime, datetime],
    ran_s: float | None,
    kept: tuple[datetime, datetime, int],
    result: AttemptResult,
) -> None:
    started, ended_at, active_s = kept
    whole = ended_at.replace(microsecond=0)
    assert ran(status, said, ran_s, result) == (started, whole, active_s)


@pytest.mark.parametrize("behind_s", [-HOUR_S, 0.0, HOUR_S])
def test_the_deadline_counts_what_a_worker_of_a_wrong_clock_has_run(behind_s: float) -> None:
    job = make_job(status=running(), activeDeadlineSeconds=19, backoffLimit=3)
    told = failed("CUDAOutOfMemory").model_copy(
        update={"started_at": ago(20 + behind_s), "finished_at": ago(behind_s), "ran_s": 19.5}
    )
    job = after(job, decide(job, alive(result=told), NOW, LIMITS))
    assert decide(job, make_observation(), NOW, LIMITS).status.phase == "Failed" or job.status.phase == "Failed"
