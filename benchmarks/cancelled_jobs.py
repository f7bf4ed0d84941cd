"""Cancelling real jobs at chosen moments, one after the other on one warm worker, and what came of each order to stop."""

import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from benchmarks.api_server import JOBS, ApiServer
from benchmarks.head_start import HeadStart
from benchmarks.moments import Moment, Pace, since, step_at
from benchmarks.sightings import Sightings
from recon_api.keys import result_key
from recon_api.payload import AttemptResult, Outcome
from recon_api.steps import Step
from recon_dev.state import StateDir
from recon_dev.valkey import STATE_DB, redis_url

NAMESPACE = "default"
TIMEOUT_S = 300.0
TRIES = 3
"""Jobs for a moment, where one after the other ends before the order is there."""

LEAD_S = 0.035
"""About what an order takes from here to the worker."""

KILLED = "was killed"
"""Part of the message of an attempt that did not stop by itself (`recon_worker.supervisor.main_process`)."""


@dataclass(frozen=True)
class Cancelled:
    """What came of one order to stop; times are seconds after the confirmation was sent."""

    name: str
    planned: Step
    step: Step | None
    """The step that ran when the order reached the worker."""
    phase: str
    acknowledged_s: float
    """The API server has answered."""
    ordered_s: float | None
    """The operator has told the worker."""
    stopped_s: float | None
    """The worker has recorded the attempt's end and given its lease back."""
    ended_s: float
    """A watcher has seen the final phase."""
    next_s: float | None
    """The worker has taken the next job, counted from the moment at which it had stopped."""
    killed: bool
    left: tuple[str, ...]
    """What was still there of it at the end of the benchmark."""

    @property
    def in_time(self) -> bool:
        """Say whether the order came before the job's own end."""
        return self.phase == "Cancelled"


@dataclass(frozen=True)
class Job:
    """A job that exists."""

    name: str
    uid: str
    moment: Moment
    tries: int = TRIES
    """How many jobs are left for the moment, this one included."""


@dataclass(frozen=True)
class Order:
    """A confirmation that was sent."""

    job: Job
    sent: float
    acknowledged: float


BEGIN = Moment(Step.LOADING, 0.0)


class Bench:
    """A running cluster with one worker, and what is seen of its jobs."""

    def __init__(self, state: StateDir, folder: str, parameters: Mapping[str, object], head_start: HeadStart) -> None:
        """Begin to watch; the photos lie in this folder of the namespace's inputs."""
        self._server, self._state, self._head_start = ApiServer(state, 4), state, head_start
        self._folder, self._parameters = folder, parameters
        self._redis = Redis.from_url(redis_url(state.read_settings(), STATE_DB))
        self._seen = Sightings(self._redis, self._server, NAMESPACE)
        self._jobs, self._count = JOBS.format(namespace=NAMESPACE), 0
        self._pace = Pace()

    def learn(self) -> dict[Step, float]:
        """Return how long each step takes that nobody disturbs, on a worker that is warm. Raises RuntimeError."""
        self._complete(self._apply(BEGIN, requested=False))
        whole = self._apply(BEGIN, requested=False)
        self._seen.wait_for(whole.uid, lambda seen: seen.claimed, TIMEOUT_S)
        short = self._apply(Moment(Step.FINALIZING, 1.0), requested=False)
        self._complete(whole)
        if list(self._seen.of(whole.uid).steps) != list(Step):
            raise RuntimeError(f"not all of the job was seen: {self._seen.of(whole.uid)}")
        took_s = self._pace.took_s
        self._complete(short)
        return took_s

    def cancel(self, moments: Sequence[Moment], within_s: float) -> list[Cancelled]:
        """Cancel one job at each of the moments, while the next one waits in the queue; leave the rest when time is over.

        A first and a last one more do not count: a job finds its finished steps only while it waits.
        """
        to_come = deque((moment, TRIES) for moment in moments)
        orders: list[tuple[Order, Job]] = []
        job, until = self._apply(BEGIN, 0), time.monotonic() + within_s
        while job.tries or to_come or not orders:
            self._seen.wait_for(job.uid, lambda seen: seen.claimed, TIMEOUT_S)
            following = self._apply(*(to_come.popleft() if to_come else (BEGIN, 0)))
            orders.append((self._confirm(job), following))
            if self._outcome(job) is not Outcome.CANCELLED and job.tries > 1:
                to_come.append((Moment(job.moment.step, job.moment.place / 2), job.tries - 1))
            self._learn_from(job)
            if time.monotonic() > until:
                to_come.clear()
            print(f"{len(orders)} orders, {len(to_come)} to come", file=sys.stderr)
            job = following
        self._confirm(job)
        self._ended(job)
        return [self._came_of(order, following) for order, following in orders if order.job.tries]

    def _complete(self, job: Job) -> None:
        """Let the job come to its end, and learn from it. Raises RuntimeError."""
        if (phase := self._ended(job)) != "Succeeded":
            raise RuntimeError(f"job {job.name} has {phase}")
        self._learn_from(job)

    def _apply(self, moment: Moment, tries: int = TRIES, *, requested: bool = True) -> Job:
        """Create a job with the first step of its cancellation done.

        It finds the steps before the moment's finished, if the worker is busy until they are there.
        """
        name = f"cancel-{self._count:04}"
        self._count += 1
        spec = {"input": {"path": self._folder}, "model": "multiview", "parameters": dict(self._parameters)}
        manifest: dict[str, Any] = {
            "apiVersion": "reconstruction.dev/v1",
            "kind": "ReconstructionJob",
            "metadata": {"name": name},
            "spec": spec | ({"cancellation": "Requested"} if requested else {}),
        }
        uid = self._server.send("POST", self._jobs, manifest)["metadata"]["uid"]
        self._head_start.give(self._state.storage / "work" / uid, moment.step)
        return Job(name, uid, moment, tries)

    def _confirm(self, job: Job) -> Order:
        """Do the second step at the job's moment."""
        within_s = job.moment.place * self._pace.took_s[job.moment.step]
        time.sleep(max(0.0, self._begin_of(job) + within_s - LEAD_S - time.time()))
        sent = time.time()
        try:
            self._server.send("PATCH", f"{self._jobs}/{job.name}", {"spec": {"cancellation": "Confirmed"}})
        except RuntimeError:  # refused: it has finished
            if "Succeeded" not in self._seen.of(job.uid).phases:
                raise
        return Order(job, sent, time.time())

    def _begin_of(self, job: Job) -> float:
        """Return when the job's step begins: told ahead where the pace is known, for some are over before an order is there."""
        claimed = self._seen.wait_for(job.uid, lambda seen: seen.claimed, TIMEOUT_S)
        after_s = self._pace.begins_after_s(job.moment.step)
        if job.moment is not BEGIN and after_s is not None:
            return claimed + after_s
        return self._seen.wait_for(job.uid, lambda seen: seen.steps.get(job.moment.step), TIMEOUT_S)

    def _outcome(self, job: Job) -> Outcome:
        """Wait until the worker is free; return how the attempt ended. The next job has begun by then."""
        self._seen.wait_for(job.uid, lambda seen: seen.free, TIMEOUT_S)
        record = self._record(job)
        return record.outcome if record else Outcome.CANCELLED

    def _record(self, job: Job) -> AttemptResult | None:
        """Return what the worker has recorded of the attempt; nothing where it never began."""
        record = self._redis.get(result_key(job.uid, 1))
        return AttemptResult.model_validate_json(record) if isinstance(record, bytes) else None

    def _ended(self, job: Job) -> str:
        """Wait until the job has ended and its worker is free; return the final phase."""
        self._seen.wait_for(job.uid, lambda seen: seen.free, TIMEOUT_S)
        return self._seen.wait_for(job.uid, lambda seen: seen.ended, TIMEOUT_S)

    def _learn_from(self, job: Job) -> None:
        seen = self._seen.of(job.uid)
        ended = seen.released if self._outcome(job) is Outcome.COMPLETED else None
        self._pace.note(since(job.moment.step, seen.steps), ended, seen.claimed)

    def _came_of(self, order: Order, following: Job) -> Cancelled:
        job, seen, phase = order.job, self._seen.of(order.job.uid), self._ended(order.job)
        in_time, record = phase == "Cancelled", self._record(job)
        return Cancelled(
            name=job.name,
            planned=job.moment.step,
            step=step_at(seen.steps, seen.ordered or order.sent),
            phase=phase,
            acknowledged_s=order.acknowledged - order.sent,
            ordered_s=_after(order.sent, seen.ordered) if in_time else None,
            stopped_s=_after(order.sent, seen.free) if in_time else None,
            ended_s=seen.phases[phase] - order.sent,
            next_s=_after(seen.free, self._seen.of(following.uid).claimed),
            killed=record is not None and KILLED in record.message,
            left=self._left(job, in_time=in_time),
        )

    def _left(self, job: Job, *, in_time: bool) -> tuple[str, ...]:
        """Return the files of the job that should be gone."""
        storage = self._state.storage
        found = list((storage / "work").glob(f"{job.uid}*"))
        if in_time:
            found += (storage / "outputs" / NAMESPACE).glob(f"*{job.name}*")
        return tuple(str(path.relative_to(storage)) for path in found)


def _after(start: float | None, moment: float | None) -> float | None:
    return None if moment is None or start is None else moment - start
