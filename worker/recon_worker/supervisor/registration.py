"""Being known as a connected worker: a description in Redis that lapses unless renewed, and a file that is touched."""

import logging
import threading
import time
from pathlib import Path

from redis import Redis

from recon_api.keys import WORKERS_CHANNEL, WORKERS_KEY, worker_key
from recon_api.payload import WorkerDescription
from recon_worker.attempt.redis_client import UNREACHABLE

logger = logging.getLogger(__name__)


class Registration(threading.Thread):
    """Keeps the worker registered from `start` to `end`, and says on the workers' channel when it comes and goes."""

    def __init__(
        self, redis: Redis, worker: WorkerDescription, *, ttl_s: float, beat_s: float, liveness_file: Path | None
    ) -> None:
        super().__init__(name="registration", daemon=True)
        self._redis, self._worker = redis, worker
        self._ttl_s, self._beat_s, self._liveness_file = ttl_s, beat_s, liveness_file
        self._ended = threading.Event()
        self._renewed_at = time.monotonic()

    def run(self) -> None:
        """Renew the registration until `end` is called, then remove it."""
        known = False
        while not self._ended.is_set():
            try:
                # A worker whose registration had lapsed is announced again: somebody may wait for it.
                known = self._register(announce=not known)
            except UNREACHABLE as error:
                known = False
                logger.warning("the worker could not be registered: %s", error)
            if self._liveness_file is not None:
                self._liveness_file.touch()
            self._ended.wait(self._beat_s)
        self._remove()

    def age_s(self) -> float:
        """Return how long ago the registration was last renewed, or this worker started."""
        return time.monotonic() - self._renewed_at

    def end(self) -> None:
        """Ask for the registration to be removed. Safe in a signal handler; `join` to wait for it."""
        self._ended.set()

    def _register(self, *, announce: bool) -> bool:
        name, text = self._worker.name, self._worker.model_dump_json()
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(worker_key(name), text, px=int(self._ttl_s * 1000), get=True)
            pipe.sadd(WORKERS_KEY, name)
            before, _ = pipe.execute()
        self._renewed_at = time.monotonic()
        if announce or before != text.encode():
            self._redis.publish(WORKERS_CHANNEL, name)
        return True

    def _remove(self) -> None:
        try:
            value = self._redis.get(worker_key(self._worker.name))
            # Another process of the same name may have taken its place.
            if value == self._worker.model_dump_json().encode():
                self._redis.delete(worker_key(self._worker.name))
                self._redis.srem(WORKERS_KEY, self._worker.name)
                self._redis.publish(WORKERS_CHANNEL, self._worker.name)
        except UNREACHABLE as error:
            logger.warning("the worker's registration lapses by itself: %s", error)
