"""What is, for a whole batch of jobs in one go: from the shared keys, the queues and the workers' registry."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from recon_api.keys import task_id
from recon_api.payload import AttemptResult, ClaimOwner, ProgressMeta
from recon_api.resource import ReconstructionJob
from recon_operator.clients.redis_state import RedisState, Snapshot, StateUnavailableError, has_restarted
from recon_operator.decide.observation import Observation
from recon_operator.estimates.run_history import Durations, photos_in
from recon_operator.estimates.step_durations import ExpectedSteps
from recon_operator.estimates.step_timer import StepClock
from recon_operator.observe.missed_heartbeats import Silence

UnsentResult = Callable[[str], AttemptResult | None]


@dataclass(frozen=True)
class View:
    """What was seen in one pass."""

    observations: dict[str, Observation]
    """By UID; without what only the queue's plan can tell."""
    workers: Counter[str] = field(default_factory=Counter)
    """How many workers of each gpuClass are connected."""
    known: bool = True
    """Whether Redis answered."""


class Observer:
    """Reads Redis, and remembers for how long attempts have been silent, at their steps, and which ones were not sent."""

    def __init__(
        self,
        redis: RedisState,
        durations: Durations,
        longest_gap_s: float,
        unsent_result: UnsentResult = lambda _: None,
    ) -> None:
        """Observe by `redis`; silences are counted over reads at most `longest_gap_s` apart.

        `unsent_result` tells how an attempt ended that could not be sent.
        """
        self._redis, self._durations, self._unsent_result = redis, durations, unsent_result
        self._silence, self._steps = Silence(longest_gap_s), StepClock()
        self._unsent: dict[str, int] = {}

    def sending(self, uid: str, attempt: int) -> None:
        """Note that an attempt is to be sent, and is not yet."""
        self._unsent[uid] = attempt

    def sent(self, uid: str) -> None:
        """Note that the message was sent: only from now on is the attempt silent."""
        self.forget(uid)

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job that is done."""
        self._unsent.pop(uid, None)
        self._silence.forget(uid)
        self._steps.forget(uid)

    def lose_sight(self) -> None:
        """Start all silences again: the connection to Redis broke."""
        self._silence.reset()

    async def observe(self, jobs: Collection[ReconstructionJob]) -> View:
        """Return what is seen of these jobs; where Redis does not answer, that nothing is known."""
        attempts = [(job.uid, job.status.execution_attempts) for job in jobs]
        try:
            snapshot = await self._redis.read(attempts, {job.spec.gpu_class for job in jobs if _is_unclaimed(job)})
        except StateUnavailableError as error:
            self._silence.reset()
            refusal = error.refusal
            unknown = {uid: Observation(known=False, refusal=refusal, attempt=number) for uid, number in attempts}
            return View(unknown, known=False)
        await self._durations.load(jobs)
        workers = Counter(worker.gpu_class for worker in snapshot.workers.values())
        return View({job.uid: self._observation(job, snapshot, workers) for job in jobs}, workers)

    def _observation(self, job: ReconstructionJob, snapshot: Snapshot, workers: Counter[str]) -> Observation:
        number = job.status.execution_attempts
        task = task_id(job.uid, number)
        found = snapshot.jobs[job.uid]
        claim = found.claim or found.lease  # a claim that was lost with Redis comes back with the owner's next beat
        alive = found.lease is not None or found.result is not None or task in snapshot.waiting
        seen = Observation(
            attempt=number,
            authorised=found.authorised,
            cancellation_requested=found.cancellation_requested,
            stop_asserted=found.stop_asserted,
            workers=workers[job.spec.gpu_class],
        )
        if number == 0:
            return seen
        now, progress = time.monotonic(), snapshot.progress.get(task)
        return replace(
            seen,
            claim=claim,
            leased=found.lease is not None,
            owner_restarted=found.claim is not None and has_restarted(found.claim, snapshot.workers),
            result=found.result or self._unsent_result(job.uid),
            progress=progress,
            step_times=self._steps.note(job.uid, number, progress, now),
            expected=self._expected(job, progress, claim),
            waits_in_queue=task in snapshot.waiting,
            silent_s=self._silence.note(job.uid, number, now, alive=alive),
            unsent=self._unsent.get(job.uid) == number,
        )

    def _expected(
        self, job: ReconstructionJob, progress: ProgressMeta | None, claim: ClaimOwner | None
    ) -> ExpectedSteps | None:
        """Return how long the steps of a running job are likely to take."""
        if progress is None:
            return None
        return self._durations.expected(job, photos_in(progress.metrics), claim.gpu if claim else "")


def _is_unclaimed(job: ReconstructionJob) -> bool:
    latest = job.status.attempts[-1] if job.status.attempts else None
    return latest is not None and not latest.worker and latest.end_time is None
