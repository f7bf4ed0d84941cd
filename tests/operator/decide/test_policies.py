"""The order of the policies is their whole meaning: what each pair of neighbours decides, and would decide the other way round."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from recon_api.resource import RESTORED_ANNOTATION, ReconstructionJob
from recon_api.status import Attempt, Phase
from recon_operator import decide as policies
from recon_operator.decide import POLICIES, decide
from recon_operator.decide.decision import Decision
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from tests.operator.builders import (
    NOW,
    ago,
    alive,
    completed,
    ended,
    finished,
    make_job,
    make_observation,
    queued,
    requested,
    running,
    told,
)

NAMES = [policy.__name__ for policy in POLICIES]
AHEAD = ago(-60)
STARTS_AHEAD = running(attempts=(Attempt(number=1, worker="worker-0", start_time=AHEAD),))
OURS = "studio/reconstruction"
LIMITS = PolicySettings(installation=OURS)
FAILED_ONCE = ended("CUDAOutOfMemory", failed_attempts=1)


class Meeting(NamedTuple):
    """A job of which two neighbours have something to say, and what is decided of it."""

    job: ReconstructionJob
    seen: Observation
    said: Callable[[Decision], Any]
    expected: Any


def phase(decision: Decision) -> Phase:
    return decision.status.phase


def latest(decision: Decision) -> Attempt:
    return decision.status.attempts[-1]


MEETINGS = {
    "jobs_of_other_controllers_are_left_alone": Meeting(
        make_job(status=finished(Phase.FAILED), managedBy="example.com/other"),
        make_observation(),
        lambda decision: decision.status.operator,
        "",
    ),
    "jobs_name_their_operator": Meeting(
        make_job(status=finished(Phase.FAILED)),
        make_observation(),
        lambda decision: decision.status.operator,
        OURS,
    ),
    "finished_jobs_stay_finished": Meeting(
        make_job(status=finished(Phase.FAILED, start_time=AHEAD)),
        make_observation(),
        lambda decision: decision.status.start_time,
        AHEAD,
    ),
    "the_spec_is_recorded": Meeting(
        make_job(status=queued(), generation=2),
        make_observation(attempt=0, authorised=2),
        lambda decision: decision.status.observed_generation,
        2,
    ),
    "numbers_handed_out_stay_so": Meeting(
        make_job(status=queued(), finalizer=True, deleted_s_ago=1.0),
        make_observation(attempt=0, authorised=2),
        lambda decision: decision.finalizer,
        True,
    ),
    "deleted_jobs_are_stopped": Meeting(
        make_job(status=running(), deleted_s_ago=1.0, cancellation="Requested"),
        alive(),
        lambda decision: decision.status.cancellation,
        None,
    ),
    "cancellation_steps_are_recorded": Meeting(
        make_job(status=running(), cancellation="Requested"),
        make_observation(result=completed()),
        lambda decision: decision.status.cancellation and decision.status.cancellation.state,
        "Requested",
    ),
    "results_end_attempts": Meeting(
        make_job(status=running(cancellation=requested()), cancellation="Confirmed"),
        make_observation(result=completed()),
        phase,
        Phase.SUCCEEDED,
    ),
    "confirmed_cancellations_stop_the_job": Meeting(
        make_job(status=running(cancellation=requested()), cancellation="Confirmed"),
        make_observation(known=False),
        phase,
        Phase.CANCELLING,
    ),
    "unknown_attempts_stay_as_they_are": Meeting(
        make_job(status=running(), suspend=True),
        make_observation(known=False),
        lambda decision: decision.status.message,
        running().message,
    ),
    "unwanted_attempts_are_stopped": Meeting(
        make_job(status=running(attempts=(told(5),)), suspend=True),
        make_observation(silent_s=30.0),
        lambda decision: latest(decision).reason,
        "Suspended",
    ),
    "lost_workers_lose_their_attempt": Meeting(
        make_job(status=running(), activeDeadlineSeconds=10),
        make_observation(owner_restarted=True),
        phase,
        Phase.FAILED,
    ),
    "running_attempts_are_shown": Meeting(make_job(status=running()), alive(), phase, Phase.RUNNING),
    "unreadable_jobs_fail": Meeting(
        make_job(status=queued(), suspend=True),
        make_observation(attempt=0, spec_problem="spec.x cannot be read"),
        phase,
        Phase.FAILED,
    ),
    "suspended_jobs_are_held": Meeting(
        make_job(suspend=True, annotations={RESTORED_ANNOTATION: "Hold"}),
        make_observation(attempt=0),
        lambda decision: decision.events[-1].reason.name,
        "Suspended",
    ),
    "failed_attempts_wait_for_their_backoff": Meeting(
        make_job(status=FAILED_ONCE), make_observation(admitted=True), phase, Phase.RETRYING
    ),
    "admitted_jobs_are_dispatched": Meeting(
        make_job(status=queued()),
        make_observation(attempt=0, admitted=True),
        lambda decision: decision.status.execution_attempts,
        1,
    ),
}
"""By the first of two neighbours."""

IN_EITHER_ORDER = {
    "times_that_lie_ahead_are_now": "one changes times, the other what is said of the spec",
    "jobs_past_their_active_deadline_fail": "a job that has used up its running time has run",
    "jobs_past_their_pre_running_deadline_fail": "one is for jobs without an open attempt, the other for those with one",
    "restored_jobs_are_held": "such a job has had no attempt, so that none has failed",
    "unclaimed_attempts_are_waited_for": "the same, the other way round",
}
"""First ones of neighbours of which one at most has something to say about a job, or that change different things."""


def test_of_each_two_neighbours_it_is_known_whether_their_order_matters() -> None:
    assert [name for name in NAMES[:-1] if name in MEETINGS or name in IN_EITHER_ORDER] == NAMES[:-1]
    assert not MEETINGS.keys() & IN_EITHER_ORDER.keys()


def swapped(first: str) -> tuple[policies.Policy, ...]:
    """Return the policies with this one behind the next one."""
    place = NAMES.index(first)
    return (*POLICIES[:place], POLICIES[place + 1], POLICIES[place], *POLICIES[place + 2 :])


@pytest.mark.parametrize("first", MEETINGS)
def test_the_order_of_neighbours_decides(monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    job, seen, said, expected = MEETINGS[first]
    assert said(decide(job, seen, NOW, LIMITS)) == expected
    monkeypatch.setattr(policies, "POLICIES", swapped(first))
    assert said(decide(job, seen, NOW, LIMITS)) != expected


def test_times_are_set_right_before_they_are_reckoned_with() -> None:
    decision = decide(make_job(status=STARTS_AHEAD), make_observation(authorised=3), NOW, PolicySettings())
    assert decision.status.attempts[0].end_time == NOW
