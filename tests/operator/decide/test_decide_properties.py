"""What holds for every job and every observation."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_api.payload import AttemptResult, Outcome
from recon_api.reasons import ALL_REASONS
from recon_api.resource import FINALIZER, ReconstructionJob
from recon_api.status import CancellationState, ConditionType, Phase, ReconstructionJobStatus
from recon_operator import decide as policies
from recon_operator.decide import decide
from recon_operator.decide.decision import Decision
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from recon_operator.jobs.status_patch import dump
from tests.operator.builders import (
    NOW,
    OWNER,
    alive,
    dispatched,
    ended,
    finished,
    make_job,
    queued,
    report,
    requested,
    running,
)
from tests.operator.decide.test_policies import IN_EITHER_ORDER, swapped
from tests.support.races.rules import refusal

LIMITS = PolicySettings()
EXAMPLES = 75
"""Enough for a run of the fast tests; each example costs about 10 ms."""

FAILURES = sorted(ALL_REASONS)
FINAL = (ConditionType.COMPLETE, ConditionType.FAILED, ConditionType.CANCELLED)

cancellations = st.none() | st.builds(
    lambda ago_s, state: requested(ago_s=ago_s, state=state),
    st.integers(0, 7200),
    st.sampled_from([CancellationState.REQUESTED, CancellationState.EXPIRED, CancellationState.WITHDRAWN]),
)


@st.composite
def statuses(draw: st.DrawFn) -> ReconstructionJobStatus:
    """Draw a status that a job can have."""
    number = draw(st.integers(1, 4))
    reason = draw(st.sampled_from(FAILURES))
    status = draw(
        st.sampled_from(
            [
                ReconstructionJobStatus(),
                queued(),
                dispatched(number),
                running(number),
                ended(reason, number=number, ended_s_ago=draw(st.integers(0, 60))),
                *(finished(phase) for phase in Phase if phase.finished),
            ]
        )
    )
    return status.model_copy(update={"cancellation": draw(cancellations)})


@st.composite
def jobs(draw: st.DrawFn) -> ReconstructionJob:
    """Draw a job in any state that it can be in."""
    return make_job(
        status=draw(statuses()),
        deleted_s_ago=draw(st.none() | st.integers(0, 400)),
        suspend=draw(st.booleans()),
        cancellation=draw(st.sampled_from([None, "Requested", "Confirmed"])),
        backoffLimit=draw(st.integers(0, 5)),
        managedBy=draw(st.sampled_from([None, None, None, "example.com/other"])),
    )


@st.composite
def observations(draw: st.DrawFn, job: ReconstructionJob) -> Observation:
    """Draw what can be seen of a job; only one of which no attempt is open is admitted."""
    attempts = job.status.attempts
    is_open = bool(attempts) and attempts[-1].end_time is None
    number = draw(st.sampled_from([job.status.execution_attempts, max(job.status.execution_attempts - 1, 0)]))
    outcome = draw(st.none() | st.sampled_from(Outcome))
    admitted = not is_open and draw(st.booleans())
    return Observation(
        known=draw(st.booleans()),
        attempt=number,
        authorised=draw(st.none() | st.integers(0, job.status.execution_attempts)),
        claim=draw(st.sampled_from([None, OWNER])),
        leased=draw(st.booleans()),
        owner_restarted=draw(st.booleans()),
        result=outcome
        and AttemptResult(outcome=outcome, attempt=max(number, 1), reason=draw(st.sampled_from(FAILURES))),
        progress=draw(st.none() | st.builds(report, st.floats(0, 100))),
        waits_in_queue=draw(st.booleans()),
        cancellation_requested=draw(st.booleans()),
        stop_flag_set=draw(st.booleans()),
        silent_s=draw(st.sampled_from([0.0, 10.0, 30.0])),
        unsent=draw(st.booleans()),
        admitted=admitted,
        position=draw(st.none() | st.integers(1, 20)),
        workers=draw(st.integers(int(admitted), 2)),
    )


cases = jobs().flatmap(lambda job: st.tuples(st.just(job), observations(job)))


def after(job: ReconstructionJob, decision: Decision) -> ReconstructionJob:
    """Return the job once the decision is carried out."""
    finalizers = (FINALIZER,) if decision.finalizer else ()
    metadata = job.metadata.model_copy(update={"finalizers": finalizers})
    return job.model_copy(update={"metadata": metadata, "status": decision.status})


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_final_phase_is_never_left(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    status = decide(job, seen, NOW, LIMITS).status
    if job.status.phase.finished:
        assert status == job.status


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_deciding_again_on_its_own_outcome_changes_nothing(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    first = decide(job, seen, NOW, LIMITS)
    again = decide(after(job, first), seen, NOW, LIMITS)
    assert (again.status, again.finalizer) == (first.status, first.finalizer)


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_three_ends_exclude_each_other(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    status = decide(job, seen, NOW, LIMITS).status
    held = [c.type for c in status.conditions if c.status == "True" and c.type in FINAL]
    assert len(held) == (1 if status.phase.finished else 0)


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_an_open_attempt_has_the_finalizer(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    decision = decide(job, seen, NOW, LIMITS)
    status = decision.status
    is_open = bool(status.attempts) and status.attempts[-1].end_time is None and not status.phase.finished
    let_go = job.metadata.deletion_timestamp is not None
    assert decision.finalizer or not is_open or let_go


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_attempts_are_begun_one_at_a_time(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    decision = decide(job, seen, NOW, LIMITS)
    assert decision.status.execution_attempts - job.status.execution_attempts in (0, 1)


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_nothing_is_looked_at_again_in_the_past(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    decision = decide(job, seen, NOW, LIMITS)
    assert decision.look_again_at is None or decision.look_again_at >= NOW - timedelta(seconds=1)


def as_stored(job: ReconstructionJob) -> dict[str, Any]:
    """Return a job as the API server keeps it."""
    stored = job.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return stored | {"spec": {"cancellation": job.spec.cancellation}, "status": dump(job.status)}


@given(cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_api_server_takes_whatever_is_decided(case: tuple[ReconstructionJob, Observation]) -> None:
    job, seen = case
    assert refusal(as_stored(job), as_stored(after(job, decide(job, seen, NOW, LIMITS)))) == ""


@given(st.integers(0, 6), st.none() | st.integers(0, 9), cases)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_number_never_goes_back(
    number: int, authorised: int | None, case: tuple[ReconstructionJob, Observation]
) -> None:
    job, seen = case
    seen = replace(seen, authorised=authorised, attempt=number)
    before, found = job.status.execution_attempts, decide(job, seen, NOW, LIMITS).status.execution_attempts
    assert found >= before
    if seen.known and job.is_ours and not job.status.phase.finished:
        assert found >= (authorised or 0)


WRITTEN = st.fixed_dictionaries(
    {},
    optional={
        "phase": st.sampled_from([Phase.PENDING, Phase.QUEUED, Phase.SUSPENDED, Phase.RETRYING, Phase.CANCELLING]),
        "message": st.just("mine"),
        "worker": st.none(),
        "conditions": st.just(()),
        "observed_generation": st.just(0),
        "progress": st.none(),
        "cancellation": st.sampled_from([requested(state=state) for state in CancellationState]),
    },
)
"""What the API server lets anybody write into the status of a job that runs."""


@given(WRITTEN)
def test_what_a_running_job_says_is_written_again(fields: dict[str, Any]) -> None:
    seen = alive(progress=report(40.0))
    expected = decide(make_job(status=running()), seen, NOW, LIMITS).status
    found = decide(make_job(status=running(**fields)), seen, NOW, LIMITS).status
    assert {c.type for c in found.conditions if c.status == "True"} == {
        ConditionType.RUNNING,
        ConditionType.RECONCILING,
    }
    assert found.cancellation is None or found.cancellation.state is CancellationState.WITHDRAWN
    ignored = {"conditions", "cancellation"}
    assert found.model_dump(exclude=ignored) == expected.model_dump(exclude=ignored)


@given(cases, st.sampled_from(sorted(IN_EITHER_ORDER)))
@settings(max_examples=EXAMPLES, deadline=None)
def test_neighbours_in_either_order_decide_the_same(case: tuple[ReconstructionJob, Observation], first: str) -> None:
    job, seen = case
    decision = decide(job, seen, NOW, LIMITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policies, "POLICIES", swapped(first))
        assert decide(job, seen, NOW, LIMITS) == decision
