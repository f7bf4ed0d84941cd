"""Killing an attempt that may not run any more and does not stop: its process holds the worker, and the GPU.

An attempt sees by its own lease that a later one took over. Native code that keeps Python's lock keeps it from looking;
its lease lapses, the operator takes the worker for lost and asks nobody to kill it. The main process still can.
"""

import logging
import os
import signal
import threading
import time
from pathlib import Path

from redis import Redis

from recon_api.keys import NO_ATTEMPT, attempt_key, lease_key
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.attempt.running_attempt import RunningAttempt, running_attempts

logger = logging.getLogger(__name__)


class Watchdog(threading.Thread):
    """Kills the process of an attempt that a later one has replaced, once it had `grace_s` to stop by itself.

    One that was cancelled or held is the operator's to kill: it knows the grace time that the installation gives.
    """

    def __init__(self, redis: Redis, folder: Path, *, grace_s: float, unwanted_s: float, interval_s: float) -> None:
        """Check the attempts of this folder; one whose number is nowhere may stay for `unwanted_s` after its lease."""
        super().__init__(name="watchdog", daemon=True)
        self._redis, self._folder = redis, folder
        self._grace_s, self._unwanted_s, self._interval_s = grace_s, unwanted_s, interval_s
        self._since: dict[RunningAttempt, float] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        """Check until `end` is called."""
        while not self._ended.wait(self._interval_s):
            try:
                self.check()
            except UNREACHABLE as error:
                logger.debug("whether an attempt may still run is unknown: %s", error)
                self._since.clear()
            except Exception:
                logger.exception("could not check whether an attempt may still run")

    def check(self) -> None:
        """Kill what has had its time to stop by now."""
        found = running_attempts(self._folder)
        limits = {running: limit_s for running in found if (limit_s := self._limit_s(running)) is not None}
        now = time.monotonic()
        self._since = {running: self._since.get(running, now) for running in limits}
        for running, limit_s in limits.items():
            if now - self._since[running] > limit_s:
                logger.warning(
                    "attempt %d of job %s did not stop; killed", running.attempt, running.uid, extra=running.log_fields
                )
                kill(running.pid, signal.SIGKILL)

    def end(self) -> None:
        """Stop checking."""
        self._ended.set()

    def _limit_s(self, running: RunningAttempt) -> float | None:
        """Return how long the attempt may still stay, None where nothing speaks against it."""
        current, lease = self._redis.mget(attempt_key(running.uid), lease_key(running.uid, running.attempt))
        if current is None:
            return None if lease is not None else self._unwanted_s
        return self._grace_s if int(current) not in (NO_ATTEMPT, running.attempt) else None


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        logger.debug("process %d is gone", pid)
