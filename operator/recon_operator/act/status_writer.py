"""The one writer of `.status`: only what differs, only onto the version that was decided on, and progress not too often."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from recon_api.resource import ReconstructionJob
from recon_api.status import ReconstructionJobStatus
from recon_operator.act.refused_writes import RefusedWrites
from recon_operator.clients.kubernetes_api import Json, KubernetesApi, ThrottledError
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.status_patch import status_patch


@dataclass(frozen=True)
class Written:
    """What became of a status."""

    job: ReconstructionJob
    """The job as it is now."""
    changed: bool = False
    """Whether something was written."""
    deferred_s: float = 0.0
    """How long to wait before this may be written; 0 where it was, or there was nothing to write."""


class WriteBudget:
    """A token bucket that hands out times: each job that must wait gets a time of its own."""

    def __init__(self, writes_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `writes_per_s` on average, and as many at once."""
        self._interval_s = 1.0 / writes_per_s
        self._burst_s = 1.0
        self._clock = clock
        self._next = 0.0
        self._paused_until = 0.0
        self._granted: dict[str, float] = {}

    def wait_s(self, uid: str) -> float:
        """Return how long this job must wait with its write; 0 uses the permission up."""
        now = self._clock()
        if uid in self._granted:
            wait_s = self._granted[uid] - now
            if wait_s <= 0:
                del self._granted[uid]
            return max(wait_s, 0.0)
        self._next = max(self._next, now - self._burst_s) + self._interval_s
        if self._next <= now:
            return 0.0
        self._granted[uid] = self._next
        return self._next - now

    def pause(self, delay_s: float) -> None:
        """Grant nothing for so long: the API server asks to wait. What is granted already comes as much later."""
        now = self._clock()
        longer_s = now + delay_s - max(self._paused_until, now)
        if longer_s > 0:
            self._paused_until = now + delay_s
            self._granted = {uid: max(at, now) + longer_s for uid, at in self._granted.items()}
            self._next = max(self._next, now) + longer_s

    def forget(self, uid: str) -> None:
        """Drop what a job was granted."""
        self._granted.pop(uid, None)


class StatusWriter:
    """Writes statuses with the resourceVersion they were decided on."""

    def __init__(self, api: KubernetesApi, jobs: Jobs, refused: RefusedWrites, writes_per_s: float) -> None:
        """Write by `api`, and record it in `jobs`, or in `refused`.

        Progress and queue positions of all jobs share `writes_per_s`.
        """
        self._api, self._jobs, self.refused = api, jobs, refused
        self.budget = WriteBudget(writes_per_s)

    async def write(self, job: ReconstructionJob, status: ReconstructionJobStatus) -> Written:
        """Write a status where it differs. Raises KubernetesError, ConflictError where the job has changed meanwhile."""
        patch = status_patch(job.status, status)
        if not patch:
            return Written(job)
        if is_routine(job.status, status) and (wait_s := self.budget.wait_s(job.uid)) > 0:
            return Written(job, deferred_s=wait_s)
        body = {"metadata": {"resourceVersion": job.metadata.resource_version}, "status": patch}
        shown = read_job(await self._patch(job, body))
        self._jobs.apply(shown)
        return Written(shown.job, changed=True)

    async def _patch(self, job: ReconstructionJob, body: Json) -> Json:
        try:
            with self.refused.recorded(job):
                return await self._api.patch_status(job.metadata.namespace, job.metadata.name, body)
        except ThrottledError as error:
            self.budget.pause(error.retry_after_s)
            raise


def is_routine(old: ReconstructionJobStatus, new: ReconstructionJobStatus) -> bool:
    """Say whether only progress, outputs, queue position or wording differ, so that the write may wait."""
    return _transition_fields(old) == _transition_fields(new)


def _transition_fields(status: ReconstructionJobStatus) -> tuple[object, ...]:
    return (
        status.operator,
        status.phase,
        status.observed_generation,
        status.task_id,
        status.attempts,
        status.cancellation,
        status.worker,
        {(condition.type, condition.status) for condition in status.conditions},
    )
