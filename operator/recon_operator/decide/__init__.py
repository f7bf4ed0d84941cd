"""Choosing the next step for a job.

Nothing here reads or writes anything: no Redis, no cluster, no clock. Every rule is one function; their order in
`POLICIES` is their priority. A policy either decides, which ends the pass, or hands the situation on to the next one,
as it is or with something noted in it.
"""

from collections.abc import Callable
from datetime import datetime

from recon_api.resource import ReconstructionJob
from recon_operator.decide.active_deadline import jobs_past_their_active_deadline_fail
from recon_operator.decide.attempt_numbers import numbers_handed_out_stay_so
from recon_operator.decide.cancellation import cancellation_steps_are_noted, confirmed_cancellations_stop_the_job
from recon_operator.decide.clock_skew import times_that_lie_ahead_are_now
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.deletion import deleted_jobs_are_stopped
from recon_operator.decide.finalization import finished_jobs_stay_finished
from recon_operator.decide.invalid_spec import unreadable_jobs_fail
from recon_operator.decide.limits import Limits
from recon_operator.decide.lost_workers import lost_workers_lose_their_attempt
from recon_operator.decide.observation import Observation
from recon_operator.decide.observed_generation import the_spec_is_noted
from recon_operator.decide.ownership import jobs_of_other_controllers_are_left_alone
from recon_operator.decide.pre_running_deadline import jobs_past_their_pre_running_deadline_fail
from recon_operator.decide.queueing import admitted_jobs_are_dispatched, other_jobs_wait
from recon_operator.decide.results import results_end_attempts
from recon_operator.decide.retries import failed_attempts_wait_for_their_backoff
from recon_operator.decide.running import (
    running_attempts_are_shown,
    unclaimed_attempts_are_waited_for,
    unknown_attempts_stay_as_they_are,
)
from recon_operator.decide.stopping import unwanted_attempts_are_stopped
from recon_operator.decide.suspension import suspended_jobs_are_held

Policy = Callable[[Situation], Situation | Decision]

POLICIES: tuple[Policy, ...] = (
    jobs_of_other_controllers_are_left_alone,
    finished_jobs_stay_finished,
    times_that_lie_ahead_are_now,
    numbers_handed_out_stay_so,
    the_spec_is_noted,
    deleted_jobs_are_stopped,
    cancellation_steps_are_noted,
    results_end_attempts,  # before the cancellation: a job that is done is done
    confirmed_cancellations_stop_the_job,
    unknown_attempts_stay_as_they_are,
    unwanted_attempts_are_stopped,
    lost_workers_lose_their_attempt,
    jobs_past_their_active_deadline_fail,
    jobs_past_their_pre_running_deadline_fail,
    running_attempts_are_shown,
    unclaimed_attempts_are_waited_for,
    unreadable_jobs_fail,  # from here on no attempt is open
    suspended_jobs_are_held,
    failed_attempts_wait_for_their_backoff,
    admitted_jobs_are_dispatched,
    other_jobs_wait,
)


def decide(job: ReconstructionJob, observation: Observation, now: datetime, limits: Limits) -> Decision:
    """Return what to do about a job, given what is seen of it and the time (UTC)."""
    situation = Situation(job, observation, now, limits, job.status)
    for policy in POLICIES:
        outcome = policy(situation)
        if isinstance(outcome, Decision):
            return outcome
        situation = outcome
    raise AssertionError("the last policy always decides")
