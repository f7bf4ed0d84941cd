"""When what of a job is seen, by this machine's one clock: in Redis what its worker does, at the API server its phase."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis import Redis
from redis.exceptions import RedisError
from urllib3.exceptions import HTTPError

from benchmarks.api_server import JOBS, ApiServer
from recon_api.keys import PROGRESS_CHANNEL_PATTERN, STOP_CHANNEL_PATTERN, parse_task_id
from recon_api.steps import Step
from recon_dev.valkey import STATE_DB

WATCH_S = 60
END = ("Succeeded", "Failed", "Cancelled")
KEYS = f"__keyspace@{STATE_DB}__:"
EVENTS = "Kg$x"
"""What Redis has to tell of keys: which are set, deleted, or expire."""

T = TypeVar("T")


@dataclass
class Sighting:
    """Seconds since the epoch at which something was seen of a job; None where it was not."""

    claimed: float | None = None
    """A worker has taken it."""
    steps: dict[Step, float] = field(default_factory=dict)
    """A step has begun."""
    ordered: float | None = None
    """The operator has told the worker to stop."""
    leased: float | None = None
    """The worker has begun."""
    released: float | None = None
    """The worker has recorded the end of the attempt and is free."""
    phases: dict[str, float] = field(default_factory=dict)
    """A watcher has seen the phase for the first time."""

    @property
    def ended(self) -> str | None:
        """Return the final phase, None before it is seen."""
        return next((phase for phase in END if phase in self.phases), None)

    @property
    def free(self) -> float | None:
        """Return since when nothing of the job runs; a job that was cancelled in time has never begun."""
        return self.phases[self.ended] if self.ended and self.leased is None else self.released


class Sightings:
    """Watches Redis and the API server from threads of its own, for as long as the process lives."""

    def __init__(self, redis: Redis, server: ApiServer, namespace: str) -> None:
        """Begin to watch; all that happens after is seen."""
        self._redis, self._server, self._path = redis, server, JOBS.format(namespace=namespace)
        self._sightings: dict[str, Sighting] = {}
        self._changed = threading.Condition()
        redis.config_set("notify-keyspace-events", EVENTS)
        self._subscription = redis.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        patterns = (PROGRESS_CHANNEL_PATTERN, STOP_CHANNEL_PATTERN, f"{KEYS}claim:*", f"{KEYS}lease:*")
        self._subscription.psubscribe(*patterns)
        since = server.send("GET", f"{self._path}?limit=1")["metadata"]["resourceVersion"]
        threading.Thread(target=self._follow_redis, name="redis", daemon=True).start()
        threading.Thread(target=self._follow_jobs, args=[since], name="jobs", daemon=True).start()

    def of(self, uid: str) -> Sighting:
        """Return what is seen of the job so far."""
        return self._sightings.setdefault(uid, Sighting())

    def wait_for(self, uid: str, what: Callable[[Sighting], T | None], within_s: float) -> T:
        """Return `what` says of the job as soon as it is something. Raises TimeoutError."""
        with self._changed:
            self._changed.wait_for(lambda: what(self.of(uid)) is not None, within_s)
            found = what(self.of(uid))
        if found is None:
            raise TimeoutError(f"job {uid}: not seen within {within_s:.0f} s; seen so far: {self.of(uid)}")
        return found

    def _follow_redis(self) -> None:
        while True:
            try:
                message = self._subscription.get_message(timeout=None)
            except (RedisError, OSError, ValueError):
                return  # the cluster has gone down
            now = time.time()
            if message:
                with self._changed:
                    self._note_message(now, message["channel"].decode(), message["data"])
                    self._changed.notify_all()

    def _note_message(self, now: float, channel: str, data: bytes) -> None:
        kind, _, name = channel.removeprefix(KEYS).partition(":")
        if channel.startswith(PROGRESS_CHANNEL_PATTERN.removesuffix("*")):
            uid, _ = parse_task_id(channel.removeprefix(PROGRESS_CHANNEL_PATTERN.removesuffix("*")))
            result = json.loads(data).get("result")
            if isinstance(result, dict) and "step" in result:
                self.of(uid).steps.setdefault(Step(result["step"]), now)
        elif kind == "stop":
            self.of(name).ordered = self.of(name).ordered or now
        elif kind == "claim" and data == b"set":
            self.of(parse_task_id(name)[0]).claimed = now
        elif kind == "lease":
            job = self.of(parse_task_id(name)[0])
            if data == b"set":
                job.leased = job.leased or now
            elif data in (b"del", b"expired"):
                job.released = now

    def _follow_jobs(self, since: str) -> None:
        while True:
            try:
                for event in self._server.watch(self._path, since, WATCH_S):
                    now = time.time()
                    if event["type"] == "ERROR":
                        raise RuntimeError(str(event["object"]))
                    since = event["object"]["metadata"]["resourceVersion"]
                    with self._changed:
                        self._note_job(now, event["object"])
                        self._changed.notify_all()
            except (HTTPError, OSError):
                return  # the cluster has gone down

    def _note_job(self, now: float, job: dict[str, Any]) -> None:
        phase = job.get("status", {}).get("phase")
        if phase:
            self.of(job["metadata"]["uid"]).phases.setdefault(phase, now)
