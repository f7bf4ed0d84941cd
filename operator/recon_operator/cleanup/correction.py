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
        self._found: asyncio.Queue[ReconstructionJob] = asyncio.Queue()

    def seen(self, job: ReconstructionJob) -> None:
        """Record a finished job as it is now."""
        if self._needed(job):
            self._found.put_nowait(job)

    async def run(self) -> None:
        """Correct jobs until cancelled."""
        while True:
            job = await self._found.get()
            try:
                await self._correct(job)
            except (GoneError, ConflictError):
                continue  # it is gone, or shown again as it is by now
            except KubernetesError as error:
                job_logger(__name__, job).warning("it has ended and is not put right, which is tried again: %s", error)
                retry_s = RETRY_REFUSED_S if isinstance(error, RefusedError) else RETRY_S
                delay_s = max(retry_s, error.retry_after_s)
                asyncio.get_running_loop().call_later(delay_s, self._found.put_nowait, job)
