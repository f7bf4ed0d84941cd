"""The Celery tasks: each turns a message into a call, and an ending into what Celery stores.

A message is a doorbell: what may run says Redis, and what has run says the record (`recon_worker.attempt.execution`).
"""

import logging
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore
from celery.signals import setup_logging, worker_process_shutdown
from pydantic import ValidationError

from recon_api.errors import JobCancelled, TransientError, UsageError
from recon_api.keys import (
    DISCARD_TASK_NAME,
    DISCARDED_TTL_S,
    JOB_FILES_KEY,
    TASK_NAME,
    discard_key,
    discarded_key,
    task_id,
)
from recon_api.payload import ProgressMeta, TaskPayload
from recon_worker.attempt import process_resources
from recon_worker.attempt.claim import AttemptRefusedError
from recon_worker.attempt.execution import AttemptExecution
from recon_worker.messages.plain_json import decode_json_plainly
from recon_worker.settings import worker_settings
from recon_worker.telemetry.logs import attempt_fields, logging_about, set_up_logging

logger = logging.getLogger(__name__)

decode_json_plainly()  # here, for the main process and its child both import the tasks


@setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(**_: Any) -> None:
    """Log as the settings say, in the main process and in its child, not as Celery would."""
    settings = worker_settings()
    set_up_logging(settings.log_level, settings.log_format, traced=bool(settings.otel_exporter_otlp_endpoint))


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close_tracing(**_: Any) -> None:
    """Send the last spans before the child ends."""
    process_resources.tracing().close()


@shared_task(bind=True, name=TASK_NAME, throws=(UsageError, TransientError, JobCancelled))  # type: ignore[untyped-decorator]
def process(self: Task, job_id: str, model_type: str = "reconviagen", **fields: Any) -> dict[str, Any]:
    """Run one attempt at a job; the keyword arguments are those of `TaskPayload`. Returns a `TaskResult`.

    Raises the error that ended the attempt, after its record is written; `Ignore` for a message that may not run.
    """
    payload = _payload(self.request.id, job_id=job_id, model_type=model_type, **fields)
    log_fields = attempt_fields(
        namespace=payload.namespace, name=payload.name, uid=payload.job_id, attempt=payload.attempt
    )
    with logging_about(log_fields):
        return _process(self, payload)


@shared_task(name=DISCARD_TASK_NAME, ignore_result=True)  # type: ignore[untyped-decorator]
def discard(job_id: str, namespace: str = "", output_path: str | None = None, *, logs: bool = False) -> None:
    """Remove the finished steps of a job that has ended, and its outputs where they are named; then say so in Redis.

    With `logs`, remove the logs of its attempts. Does nothing where there are none, or where the operator no longer allows that the
    outputs go.
    """
    with logging_about({"namespace": namespace, "uid": job_id}):
        _discard(job_id, namespace, output_path)
        if logs:
            _discard_logs(job_id, namespace)


def _process(task: Task, payload: TaskPayload) -> dict[str, Any]:
    # Celery's request is known to the job's thread alone; progress is sent from another one.
    request_id = task.request.id

    def send(meta: ProgressMeta) -> None:
        task.backend.store_result(request_id, meta.model_dump(mode="json"), "PROGRESS")

    try:
        execution = AttemptExecution.claimed(payload, send)
    except AttemptRefusedError as refusal:  # Celery is to store nothing about it
        raise Ignore(str(refusal)) from refusal
    return execution.run().model_dump()


def _discard(job_id: str, namespace: str, output_path: str | None) -> None:
    redis, storage = process_resources.redis(), process_resources.storage()
    if output_path is not None and not redis.exists(discard_key(job_id)):
        logger.info("the outputs of job %s of %s stay: they are not to be removed any more", job_id, namespace)
        return
    storage.discard(job_id)
    logger.info("removed the steps of job %s of %s", job_id, namespace)
    if output_path is not None:
        storage.remove_outputs(namespace, output_path, job_id)
        redis.set(discarded_key(job_id), 1, ex=DISCARDED_TTL_S)


def _discard_logs(job_id: str, namespace: str) -> None:
    process_resources.storage().remove_logs(namespace, job_id)
    process_resources.redis().hdel(JOB_FILES_KEY, job_id)
    logger.info("removed the logs of job %s of %s", job_id, namespace)


def _payload(request_id: str, **fields: Any) -> TaskPayload:
    """Return the payload of a message. Raises `Ignore` where it is none, or another attempt's."""
    try:
        payload = TaskPayload.model_validate(fields)
    except ValidationError as error:
        raise Ignore(f"not a job: {error}") from error
    if request_id != task_id(payload.job_id, payload.attempt):
        raise Ignore(f"task {request_id} is not that of attempt {payload.attempt} of job {payload.job_id}")
    return payload
