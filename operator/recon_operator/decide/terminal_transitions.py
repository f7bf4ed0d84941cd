"""The three ends of a job. Each is written once and never left."""

from datetime import datetime

from recon_api.payload import PHOTOS_PLACED, AttemptResult
from recon_api.reasons import CANCELLED, COMPLETED, Reason
from recon_api.status import (
    CancellationState,
    ConditionType,
    Phase,
    Progress,
    WorkerStatus,
)
from recon_api.steps import Step
from recon_operator.decide.attempts import end_attempt, whole_second
from recon_operator.decide.context import Situation, bounded
from recon_operator.decide.decision import Decision, DiscardFiles, ForgetJob

PERCENT_DONE = 100


def succeed(situation: Situation, result: AttemptResult) -> Decision:
    """Return the decision of a job whose result is published."""
    started = result.started_at or situation.now
    message = _published(result)
    ended = end_attempt(situation, COMPLETED, "", whole_second(result.finished_at))
    progress = Progress(
        percentage=PERCENT_DONE, step=Step.FINALIZING.value, estimated_remaining_seconds=0,
        last_updated_time=situation.timestamp, metrics=result.metrics,
    )  # fmt: skip
    ended = ended.change(
        phase=Phase.SUCCEEDED,
        start_time=ended.status.start_time or whole_second(started),
        worker=ended.status.worker or _worker(situation, result),
        progress=progress,
        steps=result.steps,
        outputs=result.outputs,
        message=message,
    )
    ended = ended.condition(ConditionType.COMPLETE, COMPLETED, message)
    return _finish(ended.event(COMPLETED, message), COMPLETED, message, result.finished_at)


def fail(situation: Situation, reason: Reason, message: str) -> Decision:
    """Return the decision of a job that has failed for good."""
    ended = situation.change(phase=Phase.FAILED, message=bounded(f"{reason.name}: {message}"))
    ended = ended.condition(ConditionType.FAILED, reason, message)
    ended = ended.event(reason, message, warning=True)
    return _finish(discard_files(ended), reason, message)


def cancel(situation: Situation) -> Decision:
    """Return the decision of a job whose confirmed cancellation is done: nothing of it runs."""
    message = "Cancelled while it ran" if situation.status.start_time else "Cancelled before it ran"
    ended = end_attempt(situation, CANCELLED, message)
    cancellation = ended.status.cancellation
    if cancellation:
        cancellation = cancellation.model_copy(
            update={"state": CancellationState.CANCELLED, "cancelled_at": situation.timestamp}
        )
    ended = ended.change(phase=Phase.CANCELLED, message=message, cancellation=cancellation)
    ended = ended.condition(ConditionType.CANCELLED, CANCELLED, message).event(CANCELLED, message)
    return _finish(discard_files(ended), CANCELLED, message)


def discard_files(situation: Situation) -> Situation:
    """Have the files deleted of a job that may have left some: a lost worker could not, or ran while nobody saw it."""
    was_sent = situation.status.execution_attempts
    return situation.effect(DiscardFiles(situation.job.spec.gpu_class)) if was_sent else situation


def _finish(situation: Situation, reason: Reason, message: str, at: datetime | None = None) -> Decision:
    for kind in (ConditionType.QUEUED, ConditionType.RUNNING, ConditionType.SUSPENDED):
        situation = situation.end_condition(kind, reason, message)
    progress = situation.status.progress
    if progress and progress.percentage < PERCENT_DONE:
        progress = progress.model_copy(update={"estimated_remaining_seconds": None})
    done = situation.change(completion_time=whole_second(at) or situation.timestamp, queue=None, progress=progress)
    return done.effect(ForgetJob()).decide(finalizer=False, finished=True)


def _published(result: AttemptResult) -> str:
    """Say how many files are published, and of how many photos they are made where the model says so."""
    count = len(result.outputs)
    files = "1 file is published" if count == 1 else f"{count} files are published"
    placed = next((metric.value for metric in result.metrics if metric.name == PHOTOS_PLACED), None)
    return f"{files}; {placed} photos placed" if placed else files


def _worker(situation: Situation, result: AttemptResult) -> WorkerStatus | None:
    claim = situation.seen.claim
    if claim:
        return WorkerStatus(name=claim.worker, node=claim.node, gpu=claim.gpu)
    return WorkerStatus(name=result.worker) if result.worker else None
