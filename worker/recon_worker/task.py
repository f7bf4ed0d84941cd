"""The Celery tasks. Here, and only here, does the end of an attempt become a record that the operator reads.

A message is a doorbell: what may run says Redis (`recon_worker.attempt.lease`), and what has run says the record, which is
written before Celery stores a state of its own.
"""

import logging
import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from celery import Task, shared_task
from celery.exceptions import Ignore
from celery.signals import setup_logging, worker_process_shutdown
from pydantic import ValidationError
from redis import Redis

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, CredentialsError, unseal
from recon_api.errors import FatalError, JobCancelled, ReconstructionError, TransientError, UsageError
from recon_api.keys import (
    DISCARD_TASK_NAME,
    DISCARDED_TTL_S,
    RECORD_TTL_S,
    TASK_NAME,
    credentials_key,
    discard_key,
    discarded_key,
    result_key,
    task_id,
)
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, ProgressMeta, TaskPayload, TaskResult
from recon_worker.attempt import attempt_record as attempt_end
from recon_worker.attempt.attempt_result import completed, ended_by, known_error, with_circumstances
from recon_worker.attempt.lease import RECONNECT_S, AlreadyClaimed, Lease, claim
from recon_worker.attempt.progress_reporter import ProgressFeed
from recon_worker.attempt.redis_client import UNREACHABLE, state_redis
from recon_worker.attempt.run import run_attempt
from recon_worker.attempt.scratch_cleanup import remove_leftovers
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.device import device_of, gpu_name
from recon_worker.models.installed import Models
from recon_worker.publishing.destinations import destination_of, withdraw
from recon_worker.publishing.output_removal import remove_outputs
from recon_worker.publishing.published_result import Finished
from recon_worker.remote.places import RemoteAccess, shown_url
from recon_worker.settings import worker_settings
from recon_worker.storage.bucket import BucketStorage, result_of
from recon_worker.storage.volume import Storage
from recon_worker.supervisor.crash_watch import RunningAttempt, living, note_renewal
from recon_worker.telemetry.logs import about, logging_about, set_up_logging
from recon_worker.telemetry.tracing import Tracing, make_tracing

BOOT_ID_VARIABLE = "RECONSTRUCTION_BOOT_ID"
"""Environment variable by which the main process tells its children which start of the worker they belong to."""

RUN_DIR_VARIABLE = "RECONSTRUCTION_RUN_DIR"
"""The same for the folder that the main process watches (`recon_worker.supervisor.crash_watch`)."""

SHUTDOWN_SIGNAL = signal.SIGUSR2
"""Sent by the main process to its child when the worker shuts down."""

CLAIM_WITHIN_S = 15.0
"""How long a message waits for a Redis that does not answer; then the operator sends another."""

logger = logging.getLogger(__name__)


@setup_logging.connect  # type: ignore[untyped-decorator]
def _set_up_logging(**_: Any) -> None:
    """Log as the settings say, in the main process and in its child, not as Celery would."""
    settings = worker_settings()
    set_up_logging(settings.log_level, settings.log_format, traced=bool(settings.otel_exporter_otlp_endpoint))


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close_tracing(**_: Any) -> None:
    """Send the last spans before the child ends."""
    _tracing().close()


@shared_task(bind=True, name=TASK_NAME, throws=(UsageError, TransientError, JobCancelled))  # type: ignore[untyped-decorator]
def process(self: Task, job_id: str, model_type: str = "reconviagen", **fields: Any) -> dict[str, Any]:
    """Run one attempt at a job; the keyword arguments are those of `TaskPayload`. Returns a `TaskResult`.

    Raises the error that ended the attempt, after its record is written; `Ignore` for a message that may not run.
    """
    payload = _payload(self.request.id, job_id=job_id, model_type=model_type, **fields)
    with logging_about(about(namespace=payload.namespace, name=payload.name, uid=job_id, attempt=payload.attempt)):
        return _process(self, payload)


@shared_task(name=DISCARD_TASK_NAME, ignore_result=True)  # type: ignore[untyped-decorator]
def discard(job_id: str, namespace: str = "", output_path: str | None = None) -> None:
    """Remove the finished steps of a job that has ended, and its outputs where they are named; then say so in Redis.

    Does nothing where there are none, or where the operator no longer allows that the outputs go.
    """
    with logging_about({"namespace": namespace, "uid": job_id}):
        _discard(job_id, namespace, output_path)


def _discard(job_id: str, namespace: str, output_path: str | None) -> None:
    if output_path is not None and not _redis().exists(discard_key(job_id)):
        logger.info("the outputs of job %s of %s stay: they are not to be removed any more", job_id, namespace)
        return
    _storage().discard(job_id)
    logger.info("removed the steps of job %s of %s", job_id, namespace)
    if output_path is not None:
        remove_outputs(_bucket() or _storage(), namespace, output_path, job_id)
        _redis().set(discarded_key(job_id), 1, ex=DISCARDED_TTL_S)


def _process(task: Task, payload: TaskPayload) -> dict[str, Any]:
    settings, redis, stop = worker_settings(), _redis(), StopOrder()
    started_at, owner = datetime.now(UTC), _owner()
    _claim(redis, payload, owner)
    lease = Lease(
        redis, payload.job_id, payload.attempt, owner, stop,
        ttl_s=settings.lease_ttl_s, beat_s=settings.lease_beat_s, self_stop_s=settings.self_stop_s,
        renewed=lambda: _note_renewal(payload),
    )  # fmt: skip
    # Celery's request is known to the job's thread alone; the feed sends from another one.
    request_id = task.request.id
    feed = ProgressFeed(lambda meta: _send(task, request_id, meta), stop)
    with _signals_heeded(stop, lease), _noticed_when_dead(payload, owner, started_at), lease:
        logger.info("attempt %d begins, model %s", payload.attempt, payload.model_type)
        with feed:
            result, error = _outcome(payload, lease, feed)
        result = with_circumstances(result, worker=owner.worker, started_at=started_at, metrics=feed.metrics)
        # Before the operator can hear of it: the log lines of both tell the story in its order.
        logger.info("attempt %d has %s", payload.attempt, f"{result.outcome} {error or ''}".strip())
        _record(redis, lease, payload, result)
    _tell_main_process(payload, result, feed)
    _tracing().note_end(payload, result, feed.visits())
    if error is not None and result.outcome is not Outcome.CANCELLED:
        raise error
    return _task_result(payload, result).model_dump()


def _claim(redis: Redis, payload: TaskPayload, owner: ClaimOwner) -> None:
    """Take the attempt for this process; raise `Ignore` where it may not run, so that Celery stores nothing about it."""
    deadline = time.monotonic() + CLAIM_WITHIN_S
    while True:
        try:
            claim(redis, payload.job_id, payload.attempt, owner)
        except (AlreadyClaimed, JobCancelled) as refusal:
            logger.info("message of attempt %d dropped: %s", payload.attempt, refusal)
            if isinstance(refusal, JobCancelled):
                _record_unstarted(redis, payload, owner, refusal)
            raise Ignore(str(refusal)) from refusal
        except UNREACHABLE as error:
            if time.monotonic() > deadline:
                raise Ignore(f"Redis does not answer ({error})") from error
            time.sleep(RECONNECT_S)
        else:
            return


def _record_unstarted(redis: Redis, payload: TaskPayload, owner: ClaimOwner, refusal: JobCancelled) -> None:
    """Say that the claimed attempt never starts, so that the operator need not wait for a lease that never comes."""
    result = with_circumstances(ended_by(refusal, payload.attempt), worker=owner.worker, started_at=None)
    with suppress(*UNREACHABLE):
        redis.set(result_key(payload.job_id, payload.attempt), result.model_dump_json(), ex=RECORD_TTL_S)


def _outcome(
    payload: TaskPayload, lease: Lease, feed: ProgressFeed
) -> tuple[AttemptResult, ReconstructionError | None]:
    """Run the attempt; return how it ended, and the error that ended it. Raises nothing."""
    try:
        finished = _run(payload, lease, feed)
    except BaseException as raised:  # a shutdown's SystemExit ends an attempt as an error does
        error = _cause(raised, lease)
        if isinstance(error, FatalError):
            logger.exception("attempt %d failed", payload.attempt)
        result = ended_by(error, payload.attempt)
        if isinstance(error, UsageError) or result.outcome is Outcome.CANCELLED or lease.job_is_over:
            _discard_steps(payload)  # of a deleted job too, whose worker slept while its files were deleted
        if result.outcome is Outcome.CANCELLED and payload.output_url is None and (bucket := _bucket()) is not None:
            withdraw(bucket, payload.namespace, payload.published_as, payload.job_id)
        return result, error
    _discard_steps(payload)
    return completed(payload.attempt, finished), None


def _cause(raised: BaseException, lease: Lease) -> ReconstructionError:
    """Return why the attempt ended: the order to stop, if there is one by now, else what was raised.

    A replaced attempt may fail in any way before it notices, for its files are gone. A held one has all its files: what
    its owner must change is told now, not after the job was resumed.
    """
    try:
        lease.look()
        error = known_error(raised)
    except JobCancelled as stopped:
        owners_move = isinstance(raised, UsageError) and stopped.reason == reasons.SUSPENDED
        error = known_error(raised) if owners_move else stopped
    if error is not raised:
        error.__cause__ = raised
    return error


def _run(payload: TaskPayload, lease: Lease, feed: ProgressFeed) -> Finished:
    settings, bucket = worker_settings(), _bucket()
    if bucket is not None:  # on a volume, whichever worker ends a job removes its steps
        remove_leftovers(_storage(), _redis(), payload.job_id)
    told = {
        "job": {"namespace": payload.namespace, "name": payload.name, "uid": payload.job_id},
        "attempt": payload.attempt,
        "input": payload.input_path or (shown_url(payload.input_url) if payload.input_url else None),
        "worker": settings.worker_name,
        "device": gpu_name(),
    }
    return run_attempt(
        payload,
        _storage(),
        _models(),
        settings.input_limits,
        told,
        feed,
        lease.fence,
        RemoteAccess(settings.remote_policy(), _credentials(payload)),
        bucket,
    )


def _credentials(payload: TaskPayload) -> AttemptCredentials | None:
    """Take what the operator has left for this attempt; nobody finds it there afterwards. It stays in memory."""
    if not payload.has_credentials:
        return None
    key = worker_settings().credentials_key
    if key is None:
        raise UsageError(reasons.NOT_SUPPORTED, "the workers cannot open Secrets: their CREDENTIALS_KEY is not set")
    task = task_id(payload.job_id, payload.attempt)
    try:
        sealed = _redis().getdel(credentials_key(payload.job_id, payload.attempt))
    except UNREACHABLE as error:
        raise TransientError(reasons.CREDENTIALS_LOST, "Redis did not hand out the credentials") from error
    if not isinstance(sealed, bytes):
        raise TransientError(reasons.CREDENTIALS_LOST, "the attempt's credentials were gone before it began")
    try:
        return unseal(key.get_secret_value(), sealed, task)
    except CredentialsError as error:
        raise UsageError(reasons.NOT_SUPPORTED, f"the Secret's values cannot be opened: {error}") from error


def _record(redis: Redis, lease: Lease, payload: TaskPayload, result: AttemptResult) -> None:
    """Write how the attempt ended, then end its lease; wait for a Redis that does not answer, up to the self-stop limit.

    Without a record the next attempt finds what this one published or finished, and reports that.
    """
    settings = worker_settings()
    deadline = time.monotonic() + settings.self_stop_s
    while True:
        try:
            redis.set(result_key(payload.job_id, payload.attempt), result.model_dump_json(), ex=RECORD_TTL_S)
            lease.release()
        except UNREACHABLE as error:
            if time.monotonic() > deadline:
                logger.warning("the end of attempt %d could not be recorded: %s", payload.attempt, error)
                return
            time.sleep(RECONNECT_S)
        else:
            return


def _discard_steps(payload: TaskPayload) -> None:
    """Remove the finished steps, which nobody needs any more; what can't be removed now is no failure of the job."""
    try:
        _storage().discard(payload.job_id)
    except (OSError, UsageError):
        logger.warning("the steps of job %s could not be removed", payload.job_id, exc_info=True)


def _send(task: Task, request_id: str, meta: ProgressMeta) -> None:
    task.backend.store_result(request_id, meta.model_dump(mode="json"), "PROGRESS")


def _task_result(payload: TaskPayload, result: AttemptResult) -> TaskResult:
    published = _published_as(payload) if result.outcome is Outcome.COMPLETED else ""
    return TaskResult(status=str(result.outcome), job_id=payload.job_id, output_path=published)


def _published_as(payload: TaskPayload) -> str:
    bucket = _bucket()
    place = None if bucket is None else result_of(payload, RemoteAccess(), bucket)
    return str(destination_of(payload, _storage())) if place is None else shown_url(place.url)


def _payload(request_id: str, **fields: Any) -> TaskPayload:
    try:
        payload = TaskPayload.model_validate(fields)
    except ValidationError as error:
        raise Ignore(f"not a job: {error}") from error
    if request_id != task_id(payload.job_id, payload.attempt):
        raise Ignore(f"task {request_id} is not that of attempt {payload.attempt} of job {payload.job_id}")
    return payload


def _owner() -> ClaimOwner:
    settings = worker_settings()
    return ClaimOwner(
        worker=settings.worker_name,
        boot_id=os.environ.get(BOOT_ID_VARIABLE, ""),
        nonce=uuid.uuid4().hex,
        node=settings.node_name,
        gpu=gpu_name(),
    )


def _note_renewal(payload: TaskPayload) -> None:
    if folder := os.environ.get(RUN_DIR_VARIABLE):
        note_renewal(Path(folder), payload.job_id, payload.attempt)


def _tell_main_process(payload: TaskPayload, result: AttemptResult, feed: ProgressFeed) -> None:
    """Have the end counted, where there is somebody to count it; a full disk is no failure of the job."""
    folder = os.environ.get(RUN_DIR_VARIABLE)
    if folder and worker_settings().metrics_port:
        with suppress(OSError):
            end = attempt_end.end_of(payload.job_id, payload.model_type, result, feed.visits())
            attempt_end.leave(Path(folder), end)


@contextmanager
def _noticed_when_dead(payload: TaskPayload, owner: ClaimOwner, started_at: datetime) -> Iterator[None]:
    folder = os.environ.get(RUN_DIR_VARIABLE)
    if folder is None:
        yield
        return
    running = RunningAttempt(
        uid=payload.job_id, attempt=payload.attempt, namespace=payload.namespace, name=payload.name,
        model=payload.model_type, pid=os.getpid(), owner=owner, started_at=started_at,
    )  # fmt: skip
    # What is published and not uploaded is not finished: the next attempt is to find that out, not the main process.
    with suppress(UsageError):
        if payload.output_url is None and _bucket() is not None:
            running = running.model_copy(update={"bucket_path": payload.published_as})
        elif payload.output_url is None:
            running = running.model_copy(update={"output": destination_of(payload, _storage())})
    with living(Path(folder), running):
        yield


@contextmanager
def _signals_heeded(stop: StopOrder, lease: Lease) -> Iterator[None]:
    """Leave the step when the worker shuts down; look at the flags when the operator revokes the task.

    Celery's own handler of the latter would raise an exception in the middle of anything, a clean-up too.
    """
    revoked = signal.signal(signal.SIGUSR1, lambda *_: lease.look_soon())
    signal.signal(SHUTDOWN_SIGNAL, lambda *_: stop.give(reasons.WORKER_STOPPED, "the worker was asked to shut down"))
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, revoked)
        signal.signal(SHUTDOWN_SIGNAL, signal.SIG_IGN)


@cache
def _redis() -> Redis:
    return state_redis(worker_settings())


@cache
def _storage() -> Storage:
    return Storage(worker_settings().job_storage_path)


@cache
def _bucket() -> BucketStorage | None:
    return worker_settings().bucket_storage()


@cache
def _tracing() -> Tracing:
    return make_tracing(worker_settings().otel_exporter_otlp_endpoint)


@cache
def _models() -> Models:
    """Return this process's models, which stay loaded from job to job."""
    settings = worker_settings()
    without = frozenset() if settings.enable_synthetic else frozenset({"synthetic"})
    return Models(settings.model_weights_path, device_of(settings.device), without=without)
