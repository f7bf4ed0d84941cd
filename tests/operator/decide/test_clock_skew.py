"""What holds for a job's times whatever the clock does between two looks at it."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from recon_api.resource import ReconstructionJob
from recon_api.status import Progress
from recon_api.steps import Step
from recon_operator.decide import decide
from recon_operator.decide.limits import Limits
from recon_operator.decide.observation import Observation
from tests.operator.builders import (
    NOW,
    alive,
    ended,
    make_job,
    make_observation,
    queued,
    report,
    requested,
    running,
)
from tests.operator.decide.test_decide_properties import after, jobs, observations

LIMITS = Limits()
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


@given(st.data(), jobs(), jumps)
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
