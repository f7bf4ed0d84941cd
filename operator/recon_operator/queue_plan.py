"""The queue as it is now: which jobs are admitted, in which place the others wait, and who must hear of a change."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from recon_api.resource import ReconstructionJob
from recon_operator.admission import SENT_PER_WORKER, Plan, plan
from recon_operator.clock import utc_now
from recon_operator.decide.observation import Observation
from recon_operator.decide.queueing import waits_for_worker
from recon_operator.jobs import Jobs

POSITIONS_EVERY_S = 2.0
"""How often places in the queue are counted anew while no worker is free."""


class QueuePlan:
    """Keeps one `Plan` for each gpuClass up to date."""

    def __init__(
        self, jobs: Jobs, clock: Callable[[], float] = time.monotonic, now: Callable[[], datetime] = utc_now
    ) -> None:
        """Plan for the jobs known; `clock` is steady, `now` the time of day."""
        self._jobs, self._clock, self._now = jobs, clock, now
        self._plans: dict[str, Plan] = {}
        self._planned_at: dict[str, float] = {}
        self._on_their_way: dict[str, str] = {}
        self._told: dict[str, int] = {}

    def update(self, workers: Counter[str], *, known: bool) -> set[str]:
        """Plan again where that can change something; return the UIDs of jobs that have come to be admitted or moved up.

        While it is unknown which workers are connected, nothing is admitted.
        """
        news: set[str] = set()
        for gpu_class in self._jobs.gpu_classes() | set(self._plans):
            connected = workers[gpu_class] if known else 0
            free = self._free(gpu_class, connected)
            now = self._clock()
            if free <= 0 and now - self._planned_at.get(gpu_class, -POSITIONS_EVERY_S) < POSITIONS_EVERY_S:
                old = self._plans[gpu_class]
                self._plans[gpu_class] = replace(old, admitted=frozenset())
                continue
            self._planned_at[gpu_class] = now
            news |= self._replan(gpu_class, connected)
        return news

    def complete(self, seen: Observation, job: ReconstructionJob) -> Observation:
        """Return what is seen of a job with what the plan says of it; an admitted job counts as on its way from here."""
        own = self._plans.get(job.spec.gpu_class, Plan())
        admitted = job.uid in own.admitted and seen.known
        if admitted:
            self._on_their_way[job.uid] = job.spec.gpu_class
        return replace(seen, admitted=admitted, position=own.positions.get(job.uid))

    def arrived(self, uid: str) -> None:
        """Note that the pass of a job is over: from now on its status tells whether it occupies a worker."""
        self._on_their_way.pop(uid, None)

    def _free(self, gpu_class: str, workers: int) -> int:
        taken = {job.uid for job in self._jobs.occupying(gpu_class)}
        taken |= {uid for uid, name in self._on_their_way.items() if name == gpu_class}
        return SENT_PER_WORKER * workers - len(taken)

    def _replan(self, gpu_class: str, workers: int) -> set[str]:
        now = self._now()
        waiting = [
            job
            for job in self._jobs.without_attempt(gpu_class)
            if job.uid not in self._on_their_way and waits_for_worker(job, now)
        ]
        occupying = self._jobs.occupying(gpu_class)
        held = {job.uid for job in occupying}
        reserved = sum(name == gpu_class and uid not in held for uid, name in self._on_their_way.items())
        old, new = self._plans.get(gpu_class, Plan()), plan(waiting, occupying, workers, reserved)
        self._plans[gpu_class] = new
        moved = {uid for uid, position in new.positions.items() if self._told.get(uid) != position}
        self._told = {**{uid: place for uid, place in self._told.items() if self._jobs.get(uid)}, **new.positions}
        return moved | (new.admitted - old.admitted)
