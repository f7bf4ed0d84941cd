"""Jobs that wait for a worker, and those whose turn it is."""

from datetime import datetime

from recon_api.reasons import DISPATCHED, NO_WORKERS, QUEUED, RESUMED, Reason
from recon_api.resource import ReconstructionJob
from recon_api.spec import Cancellation
from recon_api.status import ConditionType, Phase, QueueStatus
from recon_operator.decide.attempts import begin_attempt, send, unclaimed
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.pre_running_deadline import with_pre_running_deadline
from recon_operator.decide.retries import next_attempt_at


def waits_for_worker(job: ReconstructionJob, now: datetime) -> bool:
    """Say whether the job could be sent now if a worker were free."""
    return job.has_no_attempt and not _is_held(job) and not _is_backing_off(job, now)


def admitted_jobs_are_dispatched(context: Context) -> Context | Decision:
    """Begin the next attempt of a job that a worker will be free for."""
    if not context.observation.admitted:
        return context
    number = context.status.execution_attempts + 1
    context = send(begin_attempt(context, number))
    context = _queued(context, DISPATCHED, unclaimed(number))
    return context.look_again_in(context.limits.retry_redis_s).decide(finalizer=True)


def other_jobs_wait(context: Context) -> Context | Decision:
    """Queue a job, with its place among those that wait."""
    seen, gpu_class = context.observation, context.job.spec.gpu_class
    if seen.known and not seen.workers:
        reason, message = NO_WORKERS, f"No worker of gpuClass {gpu_class} is connected; the job waits for one"
    elif seen.refusal:  # an absence is not shown: it passes, and each job would be written twice
        reason, message = QUEUED, f"The job waits; Redis refuses the operator: {seen.refusal}"
    else:
        reason, message = QUEUED, QUEUED.meaning
    if context.status.phase is not Phase.QUEUED:
        context = context.event(reason, message)
    place = QueueStatus(position=seen.position, estimated_start_time=seen.starts_at)
    queue = place if seen.position else context.status.queue
    return _queued(context, reason, message).change(queue=queue).decide()


def _queued(context: Context, reason: Reason, message: str) -> Context:
    context = context.change(phase=Phase.QUEUED, message=message)
    context = context.end_condition(ConditionType.SUSPENDED, RESUMED, RESUMED.meaning)
    return with_pre_running_deadline(context.condition(ConditionType.QUEUED, reason, message))


def _is_held(job: ReconstructionJob) -> bool:
    deleted = job.metadata.deletion_timestamp is not None
    return deleted or job.spec.suspend or job.is_held_as_restored or job.spec.cancellation is Cancellation.CONFIRMED


def _is_backing_off(job: ReconstructionJob, now: datetime) -> bool:
    due = next_attempt_at(job, job.status)
    return due is not None and now < due
