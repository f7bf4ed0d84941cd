"""Statuses that cannot be true: changed by somebody else while no operator ran, or written by a clock that was ahead.

While an operator runs it sees such changes come (`recon_operator.jobs.status_drift`). What happened before it knows only from what
contradicts itself, or Redis. Above all no number of an attempt is ever given out twice.
"""

from dataclasses import replace
from datetime import datetime

from recon_api.keys import parse_task_id, task_id
from recon_api.reasons import STATUS_CORRECTED, SUPERSEDED
from recon_api.spec import MAX_SECONDS
from recon_api.status import FINAL_PHASES, Attempt, Condition, Phase, ReconstructionJobStatus
from recon_operator.decide.attempts import KEPT_ATTEMPTS
from recon_operator.decide.clock_skew import in_order, without_times_ahead
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision

LARGEST_NUMBER = 1_000_000
"""No job comes to so many attempts; a larger number was made up."""


def impossible_statuses_are_set_right(situation: Situation) -> Situation | Decision:
    """Bring a status into order that contradicts itself, Redis or the clock; an end that nobody can take back stays."""
    status = _with_true_end(situation.status)
    if status.phase.finished:
        return _told(situation, status)
    timely = without_times_ahead(situation.status, situation.now)
    status = without_times_ahead(status, situation.now)
    status = _with_one_condition_of_a_type(_with_counts(_with_attempts(status, situation)))
    status = _with_fitting_phase(status, situation)
    seen = situation.observation
    if seen.result:
        seen = replace(seen, result=in_order(seen.result, status, situation.now))
    repaired = _told(replace(situation, observation=seen, status=timely), status)
    if status.execution_attempts == situation.status.execution_attempts:
        return repaired
    # What Redis says of that attempt was not read: whether it runs will be known in the next pass.
    deleted = situation.job.metadata.deletion_timestamp is not None
    return repaired.look_again_in(0.0).decide(finalizer=None if deleted else True)


def _with_true_end(status: ReconstructionJobStatus) -> ReconstructionJobStatus:
    """Let phase and condition agree on whether the job has ended; the condition tells, for it can't be taken back."""
    final = status.final_conditions
    if final and not status.phase.finished:
        ended_at = status.completion_time or final[0].last_transition_time
        return status.model_copy(update={"phase": FINAL_PHASES[final[0].type], "completion_time": ended_at})
    if not final and (status.phase.finished or status.completion_time):
        phase = Phase.PENDING if status.phase.finished else status.phase
        return status.model_copy(update={"phase": phase, "completion_time": None})
    return status


def _with_attempts(status: ReconstructionJobStatus, situation: Situation) -> ReconstructionJobStatus:
    """Return the status with attempts in order, of which only the one of the highest known number may be open."""
    number = _highest_number(status, situation)
    if not number:
        return status.model_copy(update={"execution_attempts": 0, "attempts": (), "task_id": ""})
    by_number = {attempt.number: attempt for attempt in status.attempts if attempt.number <= number}
    latest = by_number.pop(number, Attempt(number=number))
    earlier = (_ended(by_number[each], situation.timestamp) for each in sorted(by_number))
    return status.model_copy(
        update={
            "execution_attempts": number,
            "attempts": (*earlier, _forward(latest))[-KEPT_ATTEMPTS:],
            "task_id": task_id(situation.job.uid, number),
        }
    )


def _highest_number(status: ReconstructionJobStatus, situation: Situation) -> int:
    """Return the highest number that was given out to an attempt, as far as anything tells.

    A new number is written to three fields at once, and then authorised in Redis. So where all others agree on one,
    `executionAttempts` was made up; in any other case the highest counts, whoever tells it.
    """
    seen = situation.observation
    authorised = seen.authorised if seen.known else None
    named = {
        max((attempt.number for attempt in status.attempts if _is_likely(attempt.number)), default=0),
        _number_of_task(status.task_id, situation.job.uid),
        authorised or 0,
    }
    numbers = named if len(named) == 1 and 0 not in named else named | {status.execution_attempts}
    return max(filter(_is_likely, numbers), default=0)


def _is_likely(number: int) -> bool:
    return 0 <= number <= LARGEST_NUMBER


def _number_of_task(task: str, job_uid: str) -> int:
    try:
        uid, number = parse_task_id(task)
    except ValueError:
        return 0
    return number if uid == job_uid else 0


def _ended(attempt: Attempt, now: datetime) -> Attempt:
    """Return an attempt that a later one follows: it cannot be open."""
    if attempt.end_time is not None:
        return _forward(attempt)
    update = {"end_time": now, "reason": SUPERSEDED.name, "message": SUPERSEDED.meaning}
    return _forward(attempt.model_copy(update=update))


def _forward(attempt: Attempt) -> Attempt:
    """Return an attempt that does not end before it starts."""
    start, end = attempt.start_time, attempt.end_time
    return attempt.model_copy(update={"end_time": start}) if start and end and end < start else attempt


def _with_counts(status: ReconstructionJobStatus) -> ReconstructionJobStatus:
    """Return the status with no more attempts failed or ignored than there were."""
    most = status.execution_attempts
    return status.model_copy(
        update={
            "failed_attempts": min(status.failed_attempts, most),
            "ignored_attempts": min(status.ignored_attempts, most),
            "active_seconds": min(status.active_seconds, MAX_SECONDS),
        }
    )


def _with_one_condition_of_a_type(status: ReconstructionJobStatus) -> ReconstructionJobStatus:
    first: dict[str, Condition] = {}
    for condition in status.conditions:
        first.setdefault(condition.type, condition)
    return status.model_copy(update={"conditions": tuple(first.values())})


def _with_fitting_phase(status: ReconstructionJobStatus, situation: Situation) -> ReconstructionJobStatus:
    """Return the status with the phase of its open attempt; where none is open, later policies say the phase."""
    attempt = status.attempts[-1] if status.attempts else None
    if attempt is None or attempt.end_time is not None:
        return status
    fitting = {Phase.RUNNING if attempt.worker else Phase.QUEUED}
    if status.phase is Phase.CANCELLING and (situation.stop_confirmed or situation.job.metadata.deletion_timestamp):
        fitting.add(Phase.CANCELLING)
    return status if status.phase in fitting else status.model_copy(update={"phase": fitting.pop()})


def _told(before: Situation, status: ReconstructionJobStatus) -> Situation:
    """Return the situation with this status, and an event that names what of it is set right."""
    fields = [
        field.alias or name
        for name, field in ReconstructionJobStatus.model_fields.items()
        if getattr(status, name) != getattr(before.status, name)
    ]
    situation = replace(before, status=status)
    if not fields:
        return situation
    message = f"{', '.join(sorted(fields))} of the status could not be true; it is set right"
    return situation.event(STATUS_CORRECTED, message, warning=True)
