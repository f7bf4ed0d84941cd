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
class Owed:
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
        """Owe nothing yet; `run` pays. `gone` is called with each job that is ordered to stop, for an attempt of it may have a log."""
        self._api, self._redis, self._celery, self._gone = api, redis, celery, gone
        self._owed: dict[str, Owed] = {}
        self._added = asyncio.Event()

    def add(self, job: ReconstructionJob, gpu_class: str, *, certain: bool = True) -> None:
        """Have a job stopped, and its files deleted by a worker of this gpuClass; where that is not certain, if it is gone."""
        self._owed[job.uid] = Owed(job, gpu_class, certain)
        self._added.set()

    async def run(self) -> None:
        """Stop what is owed until cancelled."""
        while True:
            await self._added.wait()
            await self.pay()
            if self._owed:
                await asyncio.sleep(RETRY_S)
            else:
                self._added.clear()

    async def pay(self) -> None:
        """Stop what is owed, as far as the servers answer."""
        for owed in list(self._owed.values()):
            await self._stop(owed)

    async def _stop(self, owed: Owed) -> None:
        """Let no copy of the job's messages be taken any more, then wake who has taken one."""
        job = owed.job
        try:
            # A label that somebody sets hides a job from the watch.
            if not owed.certain and await job_exists(self._api, job.metadata.namespace, job.metadata.name, job.uid):
                del self._owed[job.uid]
                return
            await self._redis.forget(job.uid)
            await self._redis.set_stop_flag(job.uid)  # a flag that goes by itself: nobody is left to clear it
            await self._celery.discard(job.uid, job.metadata.namespace, owed.gpu_class)
        except (KubernetesError, StateUnavailableError, BrokerError):
            return
        del self._owed[job.uid]
        self._gone(job)
        job_logger(__name__, job).info("deleted before its attempt had stopped; what runs of it is ordered to stop")
