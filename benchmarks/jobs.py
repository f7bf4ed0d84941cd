"""Applying many jobs at once, and noting when each comes where."""

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from benchmarks.api_server import JOBS, ApiServer
from recon_api.keys import result_key
from recon_api.payload import AttemptResult

WATCH_S = 60
FINISHED = ("Succeeded", "Failed", "Cancelled")


def manifest(name: str) -> dict[str, Any]:
    """Return a job of the synthetic model that returns at once: what is left is the cost of handling a job."""
    return {
        "apiVersion": "reconstruction.dev/v1",
        "kind": "ReconstructionJob",
        "metadata": {"name": name},
        "spec": {"model": "synthetic", "parameters": {"noop": True}},
    }


@dataclass
class Times:
    """Seconds since the epoch, by this machine's one clock."""

    applied: float
    uid: str = ""
    started: float | None = None
    """When the worker began, as it says itself (the status knows whole seconds only)."""
    finished: float | None = None
    """When a watcher saw the final phase."""
    phase: str = ""
    attempts: int = 0


@dataclass
class Journal:
    """The times of every job, filled by a watch of its own thread."""

    server: ApiServer
    namespace: str
    times: dict[str, Times] = field(default_factory=dict)
    """By name."""
    _unfinished: int = 0

    def run(self, names: Sequence[str], clients: int, timeout_s: int) -> None:
        """Apply the jobs, `clients` at a time, and follow them until all have finished. Raises TimeoutError."""
        jobs = JOBS.format(namespace=self.namespace)
        since = self.server.send("GET", f"{jobs}?limit=1")["metadata"]["resourceVersion"]
        self.times = {name: Times(applied=0.0) for name in names}
        self._unfinished = len(names)
        watcher = threading.Thread(target=self._follow, args=(jobs, since, timeout_s))
        watcher.start()

        def apply(name: str) -> None:
            self.times[name].applied = time.time()
            self.server.send("POST", jobs, manifest(name))

        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(apply, names))
        watcher.join()
        if self._unfinished:
            raise TimeoutError(f"{self._unfinished} of {len(names)} jobs had not finished after {timeout_s} s")

    def _follow(self, jobs: str, since: str, timeout_s: int) -> None:
        """Watch until all jobs have finished. The API server ends a watch whose reader is slow; then all is listed anew."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for event in self.server.watch(jobs, since, WATCH_S):
                if event["type"] == "ERROR":
                    break
                self._note(event["object"])
                if self._unfinished == 0:
                    return
            listed = self.server.send("GET", jobs)
            since = listed["metadata"]["resourceVersion"]
            for job in listed["items"]:
                self._note(job)
            if self._unfinished == 0:
                return

    def _note(self, job: dict[str, Any]) -> None:
        now, status = time.time(), job.get("status", {})
        times = self.times.get(job["metadata"]["name"])
        if times and times.finished is None and status.get("phase") in FINISHED:
            times.finished, times.phase = now, status["phase"]
            times.uid, times.attempts = job["metadata"]["uid"], status["executionAttempts"]
            self._unfinished -= 1


def read_starts(redis: Redis, jobs: Iterable[Times]) -> None:
    """Note when each job's last attempt began, from what its worker left in Redis."""
    finished = [job for job in jobs if job.uid]
    for job, text in zip(finished, redis.mget([result_key(job.uid, job.attempts) for job in finished]), strict=True):
        started = AttemptResult.model_validate_json(text).started_at if text else None
        job.started = started.timestamp() if started else None
