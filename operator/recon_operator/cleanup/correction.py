"""What must be put right about finished jobs, which no pass looks at any more."""

from collections.abc import Awaitable, Callable

from recon_api.resource import ReconstructionJob
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesError, RefusedError
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.telemetry.logs import job_logger

LONGEST_WAIT_S = 60.0
"""For the next job; the queue wakes up earlier where one is due."""

RETRY_S = 2.0
RETRY_REFUSED_S = 60.0
"""A write that is not allowed stays so until somebody changes a policy or a right."""


class Correction:
    """One kind of correction; subscribes to the finished jobs (`recon_operator.watch.finished_jobs`)."""

    def __init__(
        self,
        needed: Callable[[ReconstructionJob], bool],
        correct: Callable[[ReconstructionJob], Awaitable[None]],
    ) -> None:
        """Have `correct`, which raises KubernetesError, put right each job for which it is `needed`, once `run` runs."""
        self._needed, self._correct = needed, correct
        self._latest: dict[str, ReconstructionJob] = {}
        """Jobs that are to be put right, as they were seen last."""
        self._work = WorkQueue()

    def seen(self, job: ReconstructionJob) -> None:
        """Record a finished job as it is now."""
        if not self._needed(job):
            self._latest.pop(job.uid, None)
            return
        if job.uid not in self._latest:
            self._work.add(job.uid)
        self._latest[job.uid] = job

    async def run(self) -> None:
        """Correct jobs until cancelled."""
        while True:
            for uid in await self._work.take(1, LONGEST_WAIT_S):
                try:
                    await self._put_right(uid)
                finally:
                    self._work.done(uid)

    async def _put_right(self, uid: str) -> None:
        if (job := self._latest.get(uid)) is None:
            return  # it was put right meanwhile
        try:
            await self._correct(job)
        except (GoneError, ConflictError):
            self._settle(uid, job)  # it is gone, or shown again as it is by now
        except KubernetesError as error:
            job_logger(__name__, job).warning("it has ended and is not put right, which is tried again: %s", error)
            retry_s = RETRY_REFUSED_S if isinstance(error, RefusedError) else RETRY_S
            self._work.add_in(uid, max(retry_s, error.retry_after_s))
        else:
            self._settle(uid, job)

    def _settle(self, uid: str, job: ReconstructionJob) -> None:
        """Be done with this version of a job; a later one that was seen during the write is put right next."""
        if self._latest.get(uid) is job:
            del self._latest[uid]
        elif uid in self._latest:
            self._work.add(uid)
