"""The record of an attempt whose process died: why it died, as far as Redis and the files show, and how the attempt ended."""

import logging
import threading
from collections.abc import Callable

from redis import Redis

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, ReconstructionError
from recon_api.keys import RECORD_TTL_S, attempt_key, cancel_key, lease_key, result_key
from recon_api.payload import AttemptResult, Outcome
from recon_worker.attempt.attempt_result import completed, ended_by, with_circumstances
from recon_worker.attempt.claim import not_current
from recon_worker.attempt.running_attempt import RunningAttempt
from recon_worker.storage.storage import Storage
from recon_worker.telemetry.attempt_record import AttemptRecord, record_of

logger = logging.getLogger(__name__)


class CrashReporter:
    """Writes what a crashed process could not write any more: the end of its attempt."""

    def __init__(
        self,
        redis: Redis,
        storage: Storage,
        *,
        worker_name: str,
        shutting_down: Callable[[], bool],
        count: Callable[[AttemptRecord], None],
    ) -> None:
        """Report to `redis`; each end is passed to `count`. While `shutting_down()`, the worker itself has killed the process."""
        self._redis, self._storage, self._worker_name = redis, storage, worker_name
        self._shutting_down, self._count = shutting_down, count

    def report(self, crashed: RunningAttempt) -> None:
        """Record the end of an attempt whose process died, unless it did so itself, and end its lease."""
        error = self._cause_of_crash(crashed)
        logger.error("attempt %d of job %s died: %s", crashed.attempt, crashed.uid, error, extra=crashed.log_fields)
        result = self._result_of(crashed, error)
        if result.outcome is Outcome.FAILED:
            self._storage.remove_drafts(crashed.uid, through=crashed.attempt)
        else:
            self._storage.discard(crashed.uid)
        result = with_circumstances(
            result, worker=self._worker_name, started_at=crashed.started_at, began=crashed.began
        )
        key = result_key(crashed.uid, crashed.attempt)
        self._redis.set(key, result.model_dump_json(), nx=True, ex=RECORD_TTL_S)
        self._redis.delete(lease_key(crashed.uid, crashed.attempt))
        self._count(record_of(crashed.uid, crashed.model, result))
        if result.outcome is Outcome.CANCELLED:
            self._withdraw_upload(crashed)

    def _result_of(self, crashed: RunningAttempt, error: ReconstructionError) -> AttemptResult:
        """Return how the attempt ended: completed, where the record is all that was missing."""
        if crashed.output_path is not None:
            published = self._storage.find_local_result(crashed.namespace, crashed.output_path, crashed.uid)
            if published is not None:
                return completed(crashed.attempt, published)
        return ended_by(error, crashed.attempt)

    def _withdraw_upload(self, crashed: RunningAttempt) -> None:
        """Remove what a cancelled attempt that was killed had begun to upload to the installation's storage.

        In a thread of its own: a server that does not answer must not keep the next crash from being noticed.
        """
        if crashed.output_path is not None:
            upload = (crashed.namespace, crashed.output_path, crashed.uid)
            threading.Thread(target=self._storage.withdraw_upload, args=upload, name="withdraw", daemon=True).start()

    def _cause_of_crash(self, crashed: RunningAttempt) -> ReconstructionError:
        """Return why the process was killed, where an order to stop explains it: else it has crashed."""
        cancelled, current = self._redis.mget(cancel_key(crashed.uid), attempt_key(crashed.uid))
        if cancelled is not None:
            return JobCancelled(reasons.CANCELLED, "the job was cancelled; its process was killed")
        if current is not None and int(current) != crashed.attempt:
            stop = not_current(int(current))
            return JobCancelled(stop.reason, f"{stop.message}; its process was killed")
        if self._shutting_down():
            return JobCancelled(reasons.WORKER_STOPPED, "the worker was shut down; the attempt's process was killed")
        return FatalError(
            reasons.WORKER_CRASHED, "the process that ran the attempt died (killed, out of memory, or a crash)"
        )
