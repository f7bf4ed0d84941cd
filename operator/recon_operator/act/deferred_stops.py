"""Jobs that went before their attempts had stopped: as soon as Redis answers, what still runs of them is ordered to stop."""

import asyncio

from recon_api.resource import ReconstructionJob
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.telemetry.logs import job_logger

RETRY_S = 1.0
"""How soon Redis is tried again."""


class DeferredStops:
    """The stops of jobs that are gone and could not be stopped.

    Kept in memory alone, and a worker may find Redis first. Where that must not matter, `DELETE_FORCE_S` is longer than
    the workers' `SELF_STOP_S`: an attempt that cannot reach Redis has given up by then.
    """

    def __init__(self, redis: RedisState, celery: CeleryClient) -> None:
        """Owe nothing yet; `run` pays."""
        self._redis, self._celery = redis, celery
        self._owed: dict[str, tuple[ReconstructionJob, str]] = {}
        self._added = asyncio.Event()

    def add(self, job: ReconstructionJob, gpu_class: str) -> None:
        """Have a job stopped, and its files deleted by a worker of this gpuClass."""
        self._owed[job.uid] = (job, gpu_class)
        self._added.set()

    async def run(self) -> None:
        """Stop what is owed until cancelled."""
        while True:
            await self._added.wait()
            for job, gpu_class in list(self._owed.values()):
                await self._stop(job, gpu_class)
            if self._owed:
                await asyncio.sleep(RETRY_S)
            else:
                self._added.clear()

    async def _stop(self, job: ReconstructionJob, gpu_class: str) -> None:
        """Let no copy of the job's messages be taken any more, then wake who has taken one."""
        try:
            await self._redis.forget(job.uid)
            await self._redis.set_stop_flag(job.uid)  # a flag that goes by itself: nobody is left to clear it
            await self._celery.discard(job.uid, job.metadata.namespace, gpu_class)
        except (StateUnavailableError, BrokerError):
            return
        del self._owed[job.uid]
        job_logger(__name__, job).info("deleted before its attempt had stopped; what runs of it is ordered to stop")
