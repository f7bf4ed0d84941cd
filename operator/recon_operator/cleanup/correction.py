"""What must be put right about finished jobs, which no pass looks at any more."""

import asyncio
from collections.abc import Awaitable, Callable

from recon_api.resource import ReconstructionJob
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesError, RefusedError
from recon_operator.telemetry.logs import job_logger

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
        self._due: asyncio.Queue[str] = asyncio.Queue()
        """Their UIDs, each once; those whose write was refused come again by themselves."""

    def seen(self, job: ReconstructionJob) -> None:
        """Record a finished job as it is now."""
        if not self._needed(job):
            self._latest.pop(job.uid, None)
            return
        if job.uid not in self._latest:
            self._due.put_nowait(job.uid)
        self._latest[job.uid] = job

    async def run(self) -> None:
        """Correct jobs until cancelled."""
        while True:
            uid = await self._due.get()
            if (job := self._latest.get(uid)) is None:
                continue  # it was put right meanwhile
            try:
                await self._correct(job)
            except (GoneError, ConflictError):
                self._latest.pop(uid, None)  # it is gone, or shown again as it is by now
            except KubernetesError as error:
                job_logger(__name__, job).warning("it has ended and is not put right, which is tried again: %s", error)
                retry_s = RETRY_REFUSED_S if isinstance(error, RefusedError) else RETRY_S
                asyncio.get_running_loop().call_later(max(retry_s, error.retry_after_s), self._due.put_nowait, uid)
            else:
                self._latest.pop(uid, None)
