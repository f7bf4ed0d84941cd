"""The execution of one attempt by this process: claimed, run under its lease, recorded.

What may run is decided by Redis (`recon_worker.attempt.claim`, `recon_worker.attempt.lease`), and the record of how the attempt
ended is written before Celery stores a state of its own.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from recon_api.errors import FatalError, ReconstructionError, UsageError
from recon_api.keys import JOB_FILES_KEY, RECORD_TTL_S, result_key
from recon_api.payload import AttemptResult, ClaimOwner, JobFiles, Outcome, ProgressMeta, TaskPayload, TaskResult
from recon_worker.attempt import process_resources
from recon_worker.attempt.attempt_log import AttemptLog
from recon_worker.attempt.attempt_result import cause_of, completed, ended_by, with_circumstances
from recon_worker.attempt.child_environment import boot_id, run_dir
from recon_worker.attempt.claim import claim_for_message
from recon_worker.attempt.credentials import take_credentials
from recon_worker.attempt.ended_jobs import ended_jobs
from recon_worker.attempt.lease import Lease
from recon_worker.attempt.progress_reporter import ProgressReporter
from recon_worker.attempt.redis_client import RECONNECT_S, UNREACHABLE
from recon_worker.attempt.run import AttemptResources, run_attempt
from recon_worker.attempt.running_attempt import RunningAttempt, locked_file, record_renewal
from recon_worker.attempt.signals import handled_signals
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.device import gpu_name
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.remote.locations import RemoteAccess, shown_url
from recon_worker.settings import WorkerSettings, worker_settings
from recon_worker.storage.storage import OpenLog
from recon_worker.telemetry.attempt_record import record_of, write_record

logger = logging.getLogger(__name__)


class AttemptExecution:
    """One attempt that this process has claimed."""

    def __init__(
        self,
        payload: TaskPayload,
        owner: ClaimOwner,
        started_at: datetime,
        began: float,
        stop: StopOrder,
        send: Callable[[ProgressMeta], None],
    ) -> None:
        """Prepare to run an attempt, claimed at `began` (monotonic); its progress goes to `send`, which may block and raise."""
        self.payload, self._owner, self._stop = payload, owner, stop
        self._started_at, self._began = started_at, began
        self._settings = worker_settings()
        self._redis, self._storage = process_resources.redis(), process_resources.storage()
        self.lease = Lease(
            self._redis,
            payload.job_id,
            payload.attempt,
            owner,
            self._stop,
            ttl_s=self._settings.lease_ttl_s,
            beat_s=self._settings.lease_beat_s,
            self_stop_s=self._settings.self_stop_s,
            renewed=self._record_renewal,
        )
        self.progress = ProgressReporter(send, self._stop)

    @classmethod
    def claimed(cls, payload: TaskPayload, send: Callable[[ProgressMeta], None]) -> Self:
        """Claim the attempt for this process. Raises `AttemptRefusedError` where it may not run."""
        stop, owner, started_at, began = StopOrder(), new_owner(worker_settings()), datetime.now(UTC), time.monotonic()
        claim_for_message(process_resources.redis(), payload, owner)
        return cls(payload, owner, started_at, began, stop, send)

    def run(self) -> TaskResult:
        """Bring the attempt to its end and record it. Raises the error that ended it, unless its job was cancelled."""
        with handled_signals(self._stop, self.lease), self._known_to_main_process(), self.lease:
            with self._log() as log:
                logger.info("attempt %d begins, model %s", self.payload.attempt, self.payload.model_type)
                with self.progress:
                    result, error = self._outcome()
                # Before the operator can read the result, so that the log lines of both are in the order of events.
                logger.info("attempt %d has %s", self.payload.attempt, f"{result.outcome} {error or ''}".strip())
            result = with_circumstances(
                result,
                worker=self._owner.worker,
                started_at=self._started_at,
                began=self._began,
                metrics=self.progress.metrics,
                log=log.address,
            )
            self._record(result)
        self._write_telemetry(result)
        if error is not None and result.outcome is not Outcome.CANCELLED:
            raise error
        return self._task_result(result)

    def _log(self) -> AttemptLog:
        """Return the log of the attempt for the job's owner; its address travels with the progress where it can be read by now."""
        payload = self.payload
        files = JobFiles(
            namespace=payload.namespace,
            name=payload.name,
            gpu_class=self._settings.gpu_class,
            attempt=payload.attempt,
        )

        def opened() -> AbstractContextManager[OpenLog]:
            self._redis.hset(JOB_FILES_KEY, payload.job_id, files.model_dump_json())  # first, so that none is forgotten
            return self._storage.log(payload.namespace, payload.job_id, payload.attempt)

        return AttemptLog(opened, self.progress)

    def _outcome(self) -> tuple[AttemptResult, ReconstructionError | None]:
        """Run the attempt; return how it ended, and the error that ended it. Raises nothing."""
        try:
            published = self._reconstruct()
        except BaseException as raised:  # a shutdown's SystemExit ends an attempt as an error does
            error = cause_of(raised, self.lease.check)
            if isinstance(error, FatalError):
                logger.exception("attempt %d failed", self.payload.attempt)
            result = ended_by(error, self.payload.attempt)
            self._clean_up(error, result)
            return result, error
        self._discard_steps()
        return completed(self.payload.attempt, published), None

    def _reconstruct(self) -> PublishedResult:
        """Reconstruct and publish. Raises whatever ends the attempt."""
        settings, payload = self._settings, self.payload
        self._storage.remove_leftovers(payload.job_id, partial(ended_jobs, self._redis))
        report_fields, models = self._report_fields(), process_resources.models()
        access = RemoteAccess(settings.remote_policy(), take_credentials(payload, settings, self._redis))
        resources = AttemptResources(self._storage, models, settings.input_limits, access)
        return run_attempt(payload, resources, report_fields, self.progress, self.lease.fence)

    def _report_fields(self) -> dict[str, Any]:
        payload = self.payload
        return {
            "job": {"namespace": payload.namespace, "name": payload.name, "uid": payload.job_id},
            "attempt": payload.attempt,
            "input": payload.input_path or (shown_url(payload.input_url) if payload.input_url else None),
            "worker": self._settings.worker_name,
            "device": gpu_name(),
        }

    def _clean_up(self, error: ReconstructionError, result: AttemptResult) -> None:
        """Remove what no later attempt needs."""
        payload, cancelled = self.payload, result.outcome is Outcome.CANCELLED
        if isinstance(error, UsageError) or cancelled or self.lease.job_is_over:
            self._discard_steps()  # of a deleted job too, whose worker slept while its files were deleted
        if cancelled and payload.output_url is None:
            self._storage.withdraw_upload(payload.namespace, payload.published_as, payload.job_id)

    def _discard_steps(self) -> None:
        """Remove the finished steps, which nobody needs any more; what can't be removed now is no failure of the job."""
        try:
            self._storage.discard(self.payload.job_id)
        except (OSError, UsageError):
            logger.warning("the steps of job %s could not be removed", self.payload.job_id, exc_info=True)

    def _record(self, result: AttemptResult) -> None:
        """Write how the attempt ended, then end its lease; wait for a Redis that does not answer, up to the self-stop limit.

        Without a record the next attempt finds what this one published or finished, and reports that.
        """
        key = result_key(self.payload.job_id, self.payload.attempt)
        deadline = time.monotonic() + self._settings.self_stop_s
        while True:
            try:
                self._redis.set(key, result.model_dump_json(), ex=RECORD_TTL_S)
                self.lease.release()
            except UNREACHABLE as error:
                if time.monotonic() > deadline:
                    logger.warning("the end of attempt %d could not be recorded: %s", self.payload.attempt, error)
                    return
                time.sleep(RECONNECT_S)
            else:
                return

    def _write_telemetry(self, result: AttemptResult) -> None:
        """Have the end counted, where metrics are served, and traced; a full disk is no failure of the job."""
        payload, visits = self.payload, self.progress.visits
        if (folder := run_dir()) and self._settings.metrics_port:
            with suppress(OSError):
                write_record(folder, record_of(payload.job_id, payload.model_type, result, visits()))
        process_resources.tracing().note_end(payload, result, visits())

    def _task_result(self, result: AttemptResult) -> TaskResult:
        completed_job = result.outcome is Outcome.COMPLETED
        address = self._storage.result_address(self.payload) if completed_job else ""
        return TaskResult(status=str(result.outcome), job_id=self.payload.job_id, output_path=address)

    @contextmanager
    def _known_to_main_process(self) -> Iterator[None]:
        """Have the main process report a crash within the block, where there is one."""
        if (folder := run_dir()) is None:
            yield
            return
        with locked_file(folder, self.running_attempt(os.getpid())):
            yield

    def running_attempt(self, pid: int) -> RunningAttempt:
        """Return what the main process is to know of the attempt that the process of that id runs."""
        payload = self.payload
        return RunningAttempt(
            uid=payload.job_id,
            attempt=payload.attempt,
            namespace=payload.namespace,
            name=payload.name,
            model=payload.model_type,
            pid=pid,
            owner=self._owner,
            started_at=self._started_at,
            began=self._began,
            # What is published and not uploaded is not finished: the next attempt is to find that out, not the main process.
            output_path=payload.published_as if payload.output_url is None else None,
        )

    def _record_renewal(self) -> None:
        if folder := run_dir():
            record_renewal(folder, self.payload.job_id, self.payload.attempt)


def new_owner(settings: WorkerSettings) -> ClaimOwner:
    """Return this process as the owner of a claim, with a nonce for one message."""
    return ClaimOwner(
        worker=settings.worker_name,
        boot_id=boot_id(),
        nonce=uuid.uuid4().hex,
        node=settings.node_name,
        gpu=gpu_name(),
    )
