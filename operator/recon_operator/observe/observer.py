"""The one author of every `Observation`: from Redis, for a whole batch of jobs in one go, and from what is known here."""

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from recon_api.keys import task_id
from recon_api.payload import ClaimOwner, ProgressMeta
from recon_api.resource import ReconstructionJob
from recon_operator.clients.redis_state import RedisState, Snapshot, StateUnavailableError, has_restarted
from recon_operator.decide.observation import Observation
from recon_operator.estimates.run_history import RunHistory
from recon_operator.estimates.step_estimates import StepEstimates
from recon_operator.estimates.step_timer import StepTimer
from recon_operator.jobs.attempt_notes import AttemptNotes
from recon_operator.observe.missed_heartbeats import MissedHeartbeats
from recon_operator.observe.queue_place import QueuePlace


@dataclass(frozen=True)
class Reading:
    """What Redis says of a batch of jobs, and of the workers."""

    snapshot: Snapshot | None
    """Nothing where Redis did not answer."""
    refusal: str = ""
    """What it said where it refused the operator."""
    workers: Counter[str] = field(default_factory=Counter)
    """How many workers of each gpuClass are connected."""

    @property
    def known(self) -> bool:
        """Whether Redis answered."""
        return self.snapshot is not None


class Observer:
    """Reads Redis, and remembers for how long attempts have been silent and at their steps."""

    def __init__(self, redis: RedisState, history: RunHistory, notes: AttemptNotes, longest_gap_s: float) -> None:
        """Observe by `redis` and `notes`; silences are counted over reads at most `longest_gap_s` apart."""
        self._redis, self._history, self._notes = redis, history, notes
        self._missed_heartbeats, self._steps = MissedHeartbeats(longest_gap_s), StepTimer()
        self._seen_sends: dict[str, int | None] = {}

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job that is done."""
        self._missed_heartbeats.forget(uid)
        self._steps.forget(uid)
        self._seen_sends.pop(uid, None)

    def lose_sight(self) -> None:
        """Start all silences again: the connection to Redis broke."""
        self._missed_heartbeats.reset()

    async def read(self, jobs: Collection[ReconstructionJob]) -> Reading:
        """Read what Redis says of these jobs; where it does not answer, nothing is known."""
        attempts = [(job.uid, job.status.execution_attempts) for job in jobs]
        try:
            snapshot = await self._redis.read(attempts, {job.spec.gpu_class for job in jobs if _is_unclaimed(job)})
        except StateUnavailableError as error:
            self._missed_heartbeats.reset()
            return Reading(None, error.refusal)
        await self._history.load(jobs)
        return Reading(snapshot, workers=Counter(worker.gpu_class for worker in snapshot.workers.values()))

    def observe(self, job: ReconstructionJob, reading: Reading, place: QueuePlace, spec_problem: str) -> Observation:
        """Return what is seen of one job: by this reading, by its place in the queue, and by what of its spec is unreadable.

        The reading must be a new one: from one to the next it is counted for how long an attempt is silent.
        """
        seen = Observation(
            known=reading.known,
            refusal=reading.refusal,
            attempt=job.status.execution_attempts,
            admitted=place.admitted and reading.known,
            position=place.position,
            starts_at=place.starts_at,
            spec_problem=spec_problem,
        )
        if reading.snapshot is None:
            return seen
        found = reading.snapshot.jobs[job.uid]
        seen = replace(
            seen,
            authorised=found.authorised,
            cancellation_requested=found.cancellation_requested,
            stop_flag_set=found.stop_flag_set,
            workers=reading.workers[job.spec.gpu_class],
        )
        return self._with_attempt(seen, job, reading.snapshot) if seen.attempt else seen

    def _with_attempt(self, seen: Observation, job: ReconstructionJob, snapshot: Snapshot) -> Observation:
        """Return the same with what is seen of the latest attempt."""
        number, now = seen.attempt, time.monotonic()
        self._count_from_latest_send(job.uid)
        task, found = task_id(job.uid, number), snapshot.jobs[job.uid]
        claim = found.claim or found.lease  # a claim that was lost with Redis comes back with the owner's next beat
        alive = found.lease is not None or found.result is not None or task in snapshot.waiting
        progress = snapshot.progress.get(task)
        return replace(
            seen,
            claim=claim,
            leased=found.lease is not None,
            owner_restarted=found.claim is not None and has_restarted(found.claim, snapshot.workers),
            result=found.result or self._notes.refusal(job.uid, number),
            progress=progress,
            step_durations=self._steps.record(job.uid, number, progress, now),
            step_estimates=self._estimate(job, progress, claim),
            waits_in_queue=task in snapshot.waiting,
            silent_s=self._missed_heartbeats.record(job.uid, number, now, alive=alive),
            unsent=self._notes.is_unsent(job.uid, number),
            unsent_because=self._notes.unsent_because(job.uid, number),
        )

    def _count_from_latest_send(self, uid: str) -> None:
        """Start the times of an attempt again where its message was sent, once more perhaps, since the last reading."""
        latest = self._notes.latest_send(uid)
        if self._seen_sends.get(uid) != latest:
            self._missed_heartbeats.forget(uid)
            self._steps.forget(uid)
        self._seen_sends[uid] = latest

    def _estimate(
        self, job: ReconstructionJob, progress: ProgressMeta | None, claim: ClaimOwner | None
    ) -> StepEstimates | None:
        """Return how long the steps of a running job are likely to take."""
        if progress is None:
            return None
        return self._history.estimate(job, progress.photos, claim.gpu if claim else "")


def _is_unclaimed(job: ReconstructionJob) -> bool:
    latest = job.status.attempts[-1] if job.status.attempts else None
    return latest is not None and not latest.worker and latest.end_time is None
