"""The queue as it is now: which jobs are admitted, where and until when the others wait, and who must hear of a change."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from recon_api.resource import ReconstructionJob
from recon_api.status import QueueStatus
from recon_operator.clock import utc_now
from recon_operator.decide.queueing import waits_for_worker
from recon_operator.estimates.run_history import RunHistory, photos_of
from recon_operator.estimates.step_estimates import StepEstimates
from recon_operator.jobs.cache import Jobs
from recon_operator.observe.queue_place import QueuePlace
from recon_operator.scheduling.queue_order import SENT_PER_WORKER, Plan, plan
from recon_operator.scheduling.start_estimates import estimate_remaining, estimate_whole, start_times, start_to_report

POSITIONS_EVERY_S = 2.0
"""How often places in the queue are counted anew while no worker is free, and the queue is played through."""


class QueuePlanner:
    """Keeps one `Plan` for each gpuClass up to date."""

    def __init__(
        self,
        jobs: Jobs,
        history: RunHistory | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        is_held: Callable[[ReconstructionJob], bool] = lambda _: False,
    ) -> None:
        """Plan for the jobs known, which last as `history` says; `clock` is steady, `now` the time of day.

        A job that `is_held`, since nothing can be written of it for a while, keeps no worker from the others.
        """
        self._jobs, self._history, self._clock, self._now = jobs, history, clock, now
        self._is_held = is_held
        self._plans: dict[str, Plan] = {}
        self._planned_at: dict[str, float] = {}
        self._reserved: dict[str, str] = {}
        self._starts: dict[str, dict[str, datetime]] = {}
        self._played_at: dict[str, float] = {}
        self._reported: dict[str, QueueStatus] = {}

    def update(self, workers: Counter[str], *, known: bool) -> list[str]:
        """Plan again where that can change something; return the UIDs of jobs that have come to be admitted or moved up.

        Those to be sent come first, in the order in which they are to be sent.

        While it is unknown which workers are connected, nothing is admitted.
        """
        news: list[str] = []
        for gpu_class in self._jobs.gpu_classes() | set(self._plans):
            connected = workers[gpu_class] if known else 0
            free = self._free(gpu_class, connected)
            now = self._clock()
            if free <= 0 and now - self._planned_at.get(gpu_class, -POSITIONS_EVERY_S) < POSITIONS_EVERY_S:
                old = self._plans[gpu_class]
                self._plans[gpu_class] = replace(old, admitted={})
                continue
            self._planned_at[gpu_class] = now
            news += self._replan(gpu_class, connected, known=known)
        return news

    def place(self, job: ReconstructionJob) -> QueuePlace:
        """Return what the plan says of a job."""
        own = self._plans.get(job.spec.gpu_class, Plan())
        reported = self._reported.get(job.uid, QueueStatus()) if job.uid in own.positions else QueueStatus()
        return QueuePlace(job.uid in own.admitted, reported.position, reported.estimated_start_time)

    def send_rank(self, job: ReconstructionJob) -> int:
        """Return the place of a job among those to be sent now; 0 for the first, and for a job that is not to be sent."""
        return self._plans.get(job.spec.gpu_class, Plan()).admitted.get(job.uid, 0)

    def reserve(self, job: ReconstructionJob) -> None:
        """Keep a worker for a job that is about to be sent: until its pass is over nothing else shows that it needs one."""
        self._reserved[job.uid] = job.spec.gpu_class

    def release(self, uid: str) -> None:
        """End the reservation, if there is one: from now on the job's status says whether it occupies a worker."""
        self._reserved.pop(uid, None)

    def _free(self, gpu_class: str, workers: int) -> int:
        taken = {job.uid for job in self._jobs.occupying(gpu_class)}
        taken |= {uid for uid, name in self._reserved.items() if name == gpu_class}
        return SENT_PER_WORKER * workers - len(taken)

    def _replan(self, gpu_class: str, workers: int, *, known: bool) -> list[str]:
        now = self._now()
        waiting = [
            job
            for job in self._jobs.without_attempt(gpu_class)
            if job.uid not in self._reserved and waits_for_worker(job, now) and not self._is_held(job)
        ]
        occupying = self._jobs.occupying(gpu_class)
        held = {job.uid for job in occupying}
        on_their_way = [uid for uid, name in self._reserved.items() if name == gpu_class and uid not in held]
        old, new = self._plans.get(gpu_class, Plan()), plan(waiting, occupying, workers, len(on_their_way))
        self._plans[gpu_class] = new
        fresh = known and self._clock() - self._played_at.get(gpu_class, -POSITIONS_EVERY_S) >= POSITIONS_EVERY_S
        if fresh:
            self._played_at[gpu_class] = self._clock()
            self._starts[gpu_class] = self._play(occupying, [*on_their_way, *new.order], workers, now)
        starts = self._starts.get(gpu_class, {})
        moved = [uid for uid, place in new.positions.items() if self._report(uid, place, starts, now, fresh=fresh)]
        self._reported = {uid: reported for uid, reported in self._reported.items() if self._jobs.get(uid)}
        return [*(uid for uid in new.admitted if uid not in old.admitted), *moved]

    def _play(
        self, occupying: list[ReconstructionJob], queue: list[str], workers: int, now: datetime
    ) -> dict[str, datetime]:
        """Play the queue through; return when each job that no worker has taken starts, by UID, where that is known."""
        running = [job for job in occupying if job.status.attempts[-1].worker]
        gpu = next((job.status.worker.gpu for job in running if job.status.worker), "")
        sent = [job for job in occupying if not job.status.attempts[-1].worker]
        ahead = [*sent, *(job for uid in queue if (job := self._jobs.get(uid)))]
        times = start_times(
            workers,
            [estimate_remaining(job, self._estimate(job, gpu), now) for job in running],
            [estimate_whole(job, self._estimate(job, gpu)) for job in ahead],
        )
        second = now.replace(microsecond=0)
        return {
            job.uid: second + timedelta(seconds=round(start_s))
            for job, start_s in zip(ahead, times, strict=True)
            if start_s is not None
        }

    def _estimate(self, job: ReconstructionJob, gpu: str) -> StepEstimates | None:
        return self._history.estimate(job, photos_of(job), gpu) if self._history else None

    def _report(self, uid: str, position: int, starts: Mapping[str, datetime], now: datetime, *, fresh: bool) -> bool:
        """Record what is reported of a waiting job; return whether it is news. Only `fresh` times change what was reported."""
        job = self._jobs.get(uid)
        reported = self._reported.get(uid) or (job and job.status.queue) or QueueStatus()
        moved = reported.position != position
        self._reported[uid] = reported
        if moved or fresh:
            start = start_to_report(reported.estimated_start_time, starts.get(uid), now, position, moved=moved)
            self._reported[uid] = QueueStatus(position=position, estimated_start_time=start)
        return self._reported[uid] is not reported and self._reported[uid] != reported
