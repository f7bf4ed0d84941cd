"""Jobs that went before their attempts had stopped: as soon as Redis answers, what still runs of them is ordered to stop."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from recon_api.resource import ReconstructionJob
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import KubernetesApi, KubernetesError, job_exists
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.telemetry.logs import job_logger

RETRY_S = 1.0
"""How soon servers that did not answer are tried again."""


@dataclass(frozen=True)
class PendingStop:
    """The stop of a job."""

    job: ReconstructionJob
    gpu_class: str
    certain: bool
    """Whether this operator has let the job go; else it may only have left what the operator watches."""


class DeferredStops:
    """The stops of jobs that are gone and could not be stopped.

    Kept in memory alone, and a worker may find Redis first. Where that must not matter, `DELETE_FORCE_S` is longer than
    the workers' `SELF_STOP_S`: an attempt that cannot reach Redis has given up by then.
    """

    def __init__(
        self,
        api: KubernetesApi,
        redis: RedisState,
        celery: CeleryClient,
        gone: Callable[[ReconstructionJob], None],
    ) -> None:
        """Start with no stop pending. `gone` is called with each job whose attempt was ordered to stop, which may have a log."""
        self._api, self._redis, self._celery, self._gone = api, redis, celery, gone
        self._pending: dict[str, PendingStop] = {}
        self._added = asyncio.Event()

    def add(self, job: ReconstructionJob, gpu_class: str, *, certain: bool = True) -> None:
        """Have a job stopped, and its files deleted by a worker of this gpuClass; where that is not certain, if it is gone."""
        self._pending[job.uid] = PendingStop(job, gpu_class, certain)
        self._added.set()

    async def run(self) -> None:
        """Order the pending stops until cancelled."""
        while True:
            await self._added.wait()
            await self.stop_pending()
            if self._pending:
                await asyncio.sleep(RETRY_S)
            else:
                self._added.clear()

    async def stop_pending(self) -> None:
        """Order the pending stops, as far as the servers answer."""
        for pending in list(self._pending.values()):
            await self._stop(pending)

    async def _stop(self, pending: PendingStop) -> None:
        """Let no copy of the job's messages be taken any more, then wake who has taken one."""
        job = pending.job
        try:
            # A label that somebody sets hides a job from the watch.
            if not pending.certain and await job_exists(self._api, job.metadata.namespace, job.metadata.name, job.uid):
                del self._pending[job.uid]
                return
            await self._redis.forget(job.uid)
            await self._redis.set_stop_flag(job.uid)  # a flag that goes by itself: nobody is left to clear it
            await self._celery.discard(job.uid, job.metadata.namespace, pending.gpu_class)
        except (KubernetesError, StateUnavailableError, BrokerError):
            return
        del self._pending[job.uid]
        self._gone(job)
        job_logger(__name__, job).info("deleted before its attempt had stopped; what runs of it is ordered to stop")
