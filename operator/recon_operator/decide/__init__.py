"""Choosing the next step for a job.

Nothing here reads or writes anything: no Redis, no cluster, no clock. Every rule is one function; their order in
`POLICIES` is their priority. A policy either decides, which ends the pass, or hands the context on to the next one,
as it is or with something recorded in it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from recon_api.resource import ReconstructionJob
from recon_operator.decide.active_deadline import jobs_past_their_active_deadline_fail
from recon_operator.decide.attempt_numbers import numbers_handed_out_stay_so
from recon_operator.decide.cancellation import cancellation_steps_are_recorded, confirmed_cancellations_stop_the_job
from recon_operator.decide.clock_skew import times_that_lie_ahead_are_now
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.deletion import deleted_jobs_are_stopped
from recon_operator.decide.finalization import finished_jobs_stay_finished
from recon_operator.decide.invalid_spec import unreadable_jobs_fail
from recon_operator.decide.lost_workers import lost_workers_lose_their_attempt
from recon_operator.decide.observation import Observation
from recon_operator.decide.observed_generation import the_spec_is_recorded
from recon_operator.decide.ownership import jobs_name_their_operator, jobs_of_other_controllers_are_left_alone
from recon_operator.decide.policy_settings import PolicySettings
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
from recon_operator.decide.summary import with_summary
from recon_operator.decide.suspension import restored_jobs_are_held, suspended_jobs_are_held

Policy = Callable[[Context], Context | Decision]

POLICIES: tuple[Policy, ...] = (
    jobs_of_other_controllers_are_left_alone,  # first: whatever stands there is theirs
    jobs_name_their_operator,  # before all effects, the end's too: they follow the write that makes the job ours
    finished_jobs_stay_finished,  # before anything that changes a status: an end stays as it was written
    times_that_lie_ahead_are_now,  # before all that reckon with times; with the next one in either order
    the_spec_is_recorded,  # before the first that writes an open job's status: each write says which spec it speaks of
    numbers_handed_out_stay_so,  # before the deletion: an attempt that only Redis knows of has to be stopped as well
    deleted_jobs_are_stopped,  # before the cancellation: nobody reads the steps of a job that goes
    cancellation_steps_are_recorded,  # before all ends: the status says what was asked for when the job ended
    results_end_attempts,  # before the confirmed cancellation: a job that is done is done
    confirmed_cancellations_stop_the_job,  # before Redis is needed: the owner sees that the job is being cancelled
    unknown_attempts_stay_as_they_are,  # before all that judge an attempt by what is seen of it
    unwanted_attempts_are_stopped,  # before the loss: an attempt that was told to stop and is gone has stopped
    lost_workers_lose_their_attempt,  # before the deadlines: these end a job once no attempt is open
    jobs_past_their_active_deadline_fail,  # with the next one in either order: that one is for jobs that never ran
    jobs_past_their_pre_running_deadline_fail,  # with the next one in either order: that one is for open attempts
    running_attempts_are_shown,  # before the next one, which takes every open attempt that is left
    unclaimed_attempts_are_waited_for,  # with the next one in either order: from there on no attempt is open
    unreadable_jobs_fail,  # before all that hold a job: to wait does not make its spec readable
    suspended_jobs_are_held,  # before all other waits: the owner's word is shown first
    restored_jobs_are_held,  # with the next one in either order: no attempt of such a job was ever sent
    failed_attempts_wait_for_their_backoff,  # before the next attempt begins
    admitted_jobs_are_dispatched,  # before the last one, which takes every job
    other_jobs_wait,  # last: it always decides
)


def decide(job: ReconstructionJob, observation: Observation, now: datetime, limits: PolicySettings) -> Decision:
    """Return what to do about a job, given what is seen of it and the time (UTC)."""
    context = Context(job, observation, now, limits, job.status)
    for policy in POLICIES:
        outcome = policy(context)
        if isinstance(outcome, Decision):
            return _summed_up(job, outcome, now)
        context = outcome
    raise AssertionError("the last policy always decides")


def _summed_up(job: ReconstructionJob, decision: Decision, now: datetime) -> Decision:
    """Return the decision with the summary of the status that it writes; what it leaves alone stays as it is."""
    if decision.status is job.status:
        return decision
    return replace(decision, status=with_summary(decision.status, job.metadata.generation, now))
