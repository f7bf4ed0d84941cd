"""The three ends of a job. Each is written once and never left."""

from datetime import datetime

from recon_api.payload import PHOTOS_PLACED, AttemptResult
from recon_api.reasons import CANCELLED, COMPLETED, PHOTOS_NOT_PLACED, Reason
from recon_api.status import (
    CancellationState,
    ConditionType,
    Phase,
    Progress,
    WorkerStatus,
)
from recon_api.steps import Step
from recon_operator.decide.attempts import end_attempt, whole_second
from recon_operator.decide.context import Context, bounded
from recon_operator.decide.decision import Decision, DiscardFiles, ForgetJob
from recon_operator.decide.warnings import sentences

PERCENT_DONE = 100


def succeed(context: Context, result: AttemptResult) -> Decision:
    """Return the decision of a job whose result is published."""
    started = result.started_at or context.now
    message = _published(result)
    ended = end_attempt(context, COMPLETED, "")
    progress = Progress(
        percentage=PERCENT_DONE,
        step=Step.FINALIZING.value,
        estimated_remaining_seconds=0,
        last_updated_time=context.timestamp,
        metrics=result.metrics,
        photos=result.photos,
    )
    ended = ended.change(
        phase=Phase.SUCCEEDED,
        start_time=ended.status.start_time or whole_second(started),
        worker=ended.status.worker or _worker(context, result),
        progress=progress,
        steps=result.steps,
        outputs=result.outputs,
        warnings=sentences(result.warnings),
        message=message,
    )
    ended = _warn_of_partial_result(ended, result)
    ended = ended.condition(ConditionType.COMPLETE, COMPLETED, message)
    return _finish(ended.event(COMPLETED, message), COMPLETED, message, result.finished_at)


def fail(context: Context, reason: Reason, message: str) -> Decision:
    """Return the decision of a job that has failed for good."""
    ended = context.change(phase=Phase.FAILED, message=bounded(f"{reason.name}: {message}"))
    ended = ended.condition(ConditionType.FAILED, reason, message)
    ended = ended.event(reason, message, warning=True)
    return _finish(discard_files(ended), reason, message)


def cancel(context: Context) -> Decision:
    """Return the decision of a job whose confirmed cancellation is done: nothing of it runs."""
    message = "Cancelled while it ran" if context.status.start_time else "Cancelled before it ran"
    ended = end_attempt(context, CANCELLED, message)
    cancellation = ended.status.cancellation
    if cancellation:
        cancellation = cancellation.model_copy(
            update={"state": CancellationState.CANCELLED, "cancelled_at": context.timestamp}
        )
    ended = ended.change(phase=Phase.CANCELLED, message=message, cancellation=cancellation)
    ended = ended.condition(ConditionType.CANCELLED, CANCELLED, message).event(CANCELLED, message)
    return _finish(discard_files(ended), CANCELLED, message)


def discard_files(context: Context) -> Context:
    """Have the files deleted of a job that may have left some: a lost worker could not, or ran while nobody saw it."""
    was_sent = context.status.execution_attempts
    return context.effect(DiscardFiles(context.job.spec.gpu_class)) if was_sent else context


def _finish(context: Context, reason: Reason, message: str, at: datetime | None = None) -> Decision:
    for kind in (ConditionType.QUEUED, ConditionType.RUNNING, ConditionType.SUSPENDED):
        context = context.end_condition(kind, reason, message)
    progress = context.status.progress
    if progress and progress.percentage < PERCENT_DONE:
        progress = progress.model_copy(update={"estimated_remaining_seconds": None})
    done = context.change(completion_time=whole_second(at) or context.timestamp, queue=None, progress=progress)
    return done.effect(ForgetJob()).decide(finalizer=False, finished=True)


def _published(result: AttemptResult) -> str:
    """Say how many files are published, and of how many photos they are made where the model says so."""
    count = len(result.outputs)
    files = "1 file is published" if count == 1 else f"{count} files are published"
    placed = next((metric.value for metric in result.metrics if metric.name == PHOTOS_PLACED), None)
    return f"{files}; {placed} photos placed" if placed else files


def _warn_of_partial_result(context: Context, result: AttemptResult) -> Context:
    """Say by a condition and an event of its own that the model does not show all photos."""
    warning = next((warning for warning in result.warnings if warning.reason == PHOTOS_NOT_PLACED.name), None)
    if warning is None:
        return context
    context = context.condition(ConditionType.PARTIAL_RESULT, PHOTOS_NOT_PLACED, bounded(warning.message))
    return context.event(PHOTOS_NOT_PLACED, bounded(warning.message), warning=True)


def _worker(context: Context, result: AttemptResult) -> WorkerStatus | None:
    claim = context.seen.claim
    if claim:
        return WorkerStatus(name=claim.worker, node=claim.node, gpu=claim.gpu)
    return WorkerStatus(name=result.worker) if result.worker else None
