"""`reconstruction-operator release-jobs`: let go of all jobs, before the operator is uninstalled.

What runs is stopped, and the finalizer is taken off every job, so that none hangs once nobody is left to take it off. The
jobs no longer name this installation either, so that another one goes on with them; its own jobs it leaves alone.
The operators may still run: the lease is taken from them, so that they write nothing, and it is left standing for a
while, so that none begins again before it is gone. To do it all twice does no harm.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from recon_api.resource import FINALIZER, FINISHED_LABEL, ReconstructionJob
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesApi, KubernetesError, RefusedError
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.election_setup import election_of, fence_of
from recon_operator.jobs.installation import Installation
from recon_operator.jobs.parsing import read_job
from recon_operator.settings import OperatorSettings

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.5

STAY_AWAY_S = 60
"""How long the operators stay away once all is done: until then whoever uninstalls has ended them."""

FINISHED_WITHIN_S = 60.0
"""How long the finished jobs may take, which are many: of the ones that are left another installation applies no
ttlSecondsAfterFinished until it is told to adopt them (ADOPT_FROM)."""

AT_ONCE = 20
"""How many jobs are stopped, looked at or let go at the same time."""


@dataclass(frozen=True)
class JobRelease:
    """Stops what runs of all jobs in some namespaces, or in all, and takes the finalizers off."""

    api: KubernetesApi
    redis: RedisState
    celery: CeleryClient
    namespaces: tuple[str | None, ...]
    installation: Installation
    """Whose jobs are let go."""
    grace_s: float
    """How long an attempt may take to stop by itself before it is killed."""
    lapse_s: float
    """How long after that the last sign of it may last."""
    discard: bool = False
    """Whether the jobs go too: then what they have finished is deleted, and they do not go on after another install."""

    async def run(self) -> None:
        """Let all jobs go. Raises KubernetesError."""
        jobs = [job async for job in self._held_jobs()]
        log.info("%d jobs are let go", len(jobs))
        await self._try_to_stop(
            [job for job in jobs if job.status.execution_attempts and not job.status.phase.finished]
        )
        while jobs:
            await _for_each(jobs, self._let_go)
            jobs = [job async for job in self._held_jobs()]  # changed meanwhile, or written by a request on its way
        if not self.discard:
            await self._let_finished_go()

    async def _let_finished_go(self) -> None:
        """Let another installation apply ttlSecondsAfterFinished to the finished jobs, as far as there is time."""
        try:
            async with asyncio.timeout(FINISHED_WITHIN_S):
                async for jobs in self._listed(FINISHED_LABEL):
                    await _for_each([job for job in jobs if self._is_owned(job)], self._disown)
        except (TimeoutError, KubernetesError) as error:
            log.warning("not all finished jobs could be let go, see ADOPT_FROM: %s", error or "there was no time")

    async def _held_jobs(self) -> AsyncIterator[ReconstructionJob]:
        """Yield the jobs that have the finalizer, and the unfinished ones that name this installation."""
        async for jobs in self._listed():
            for job in jobs:
                held = FINALIZER in job.metadata.finalizers
                open_ = FINISHED_LABEL not in job.metadata.labels and self._is_owned(job)
                if (held or open_) and self.installation.manages(job):
                    yield job

    async def _listed(self, selector: str = "") -> AsyncIterator[list[ReconstructionJob]]:
        for namespace in self.namespaces:
            try:
                async for items, _ in self.api.list_jobs(namespace, selector):
                    yield [read_job(item).job for item in items]
            except RefusedError as error:
                if namespace is None:
                    raise
                log.warning("the jobs of namespace %s stay as they are: %s", namespace, error)

    def _is_owned(self, job: ReconstructionJob) -> bool:
        return job.status.operator != "" and self.installation.manages(job)

    async def _try_to_stop(self, jobs: list[ReconstructionJob]) -> None:
        """Stop attempts; give up where Redis stays away as long as they have to stop by themselves."""
        deadline = asyncio.get_running_loop().time() + self.grace_s
        while True:
            try:
                await self._stop(jobs)
                return
            except (StateUnavailableError, BrokerError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    log.warning("what runs could not be told to stop: %s", error)
                    return
            await asyncio.sleep(LOOK_AGAIN_S)

    async def _stop(self, jobs: list[ReconstructionJob]) -> None:
        """Stop attempts, kindly first. Raises StateUnavailableError or BrokerError."""
        await _for_each(jobs, self._order_stop)
        running = await self._wait_stopped(jobs, self.grace_s)
        for job in running:
            log.warning("%s: its attempt did not stop by itself and is killed", job.key)
            await self.celery.kill(job.uid, job.status.execution_attempts)
        for job in await self._wait_stopped(running, self.lapse_s):
            log.warning("%s: a worker still shows a sign of its attempt", job.key)
        await _for_each([job for job in jobs if self._is_final(job)], self._discard)

    def _is_final(self, job: ReconstructionJob) -> bool:
        return self.discard or job.metadata.deletion_timestamp is not None

    async def _order_stop(self, job: ReconstructionJob) -> None:
        """Have an attempt stop, as a deletion does, or as a suspension does where the job may go on some day."""
        if self._is_final(job):
            await self.redis.set_stop_flag(job.uid)
        else:
            await self.redis.hold(job.uid)

    async def _discard(self, job: ReconstructionJob) -> None:
        await self.redis.forget(job.uid)
        await self.celery.discard(job.uid, job.metadata.namespace, job.spec.gpu_class, logs=True)

    async def _wait_stopped(self, jobs: list[ReconstructionJob], within_s: float) -> list[ReconstructionJob]:
        """Return those whose latest attempt shows a sign of life even then."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while jobs:
            jobs = [job for job in jobs if await self.redis.living_owner(job.uid, job.status.execution_attempts)]
            if not jobs or loop.time() > deadline:
                break
            await asyncio.sleep(LOOK_AGAIN_S)
        return jobs

    async def _let_go(self, job: ReconstructionJob) -> None:
        """Take one thing off a job that holds it: the finalizer, then the name; it is listed again until neither is there."""
        await (self._remove_finalizer(job) if FINALIZER in job.metadata.finalizers else self._disown(job))

    async def _disown(self, job: ReconstructionJob) -> None:
        """Remove the name from a job, because of which others leave it alone."""
        metadata = job.metadata
        body = {"metadata": {"resourceVersion": metadata.resource_version}, "status": {"operator": None}}
        try:
            await self.api.patch_status(metadata.namespace, metadata.name, body)
        except (GoneError, ConflictError):
            return  # an unfinished one is listed again

    async def _remove_finalizer(self, job: ReconstructionJob) -> None:
        metadata = job.metadata
        finalizers = [name for name in metadata.finalizers if name != FINALIZER]
        body = {"metadata": {"resourceVersion": metadata.resource_version, "finalizers": finalizers}}
        try:
            await self.api.patch_job(metadata.namespace, metadata.name, body)
        except (GoneError, ConflictError):
            return  # it is listed again
        log.info("%s: the finalizer is taken off", job.key)


async def release_jobs(settings: OperatorSettings, *, discard: bool) -> None:
    """Let all jobs go that these settings' operator looks after. Raises KubernetesError, LeaseLostError."""
    fence = fence_of(settings)
    api = await KubernetesApi.connect(fence, component="release-jobs")
    election = election_of(settings, api, fence, rob_for_s=STAY_AWAY_S)
    if not settings.leader_election:
        log.warning("LEADER_ELECTION is off: an operator that still runs may put finalizers back")
    redis = RedisState(
        settings.celery_broker_url,
        settings.celery_result_backend,
        settings.redis_state_db,
        settings.redis_timeout_s,
        fence,
    )
    celery = CeleryClient(settings.celery_broker_url, settings.redis_timeout_s, fence)
    release = JobRelease(
        api,
        redis,
        celery,
        settings.namespaces or (None,),
        settings.this_installation(),
        grace_s=settings.cancellation_grace_s,
        lapse_s=settings.lost_after_s,
        discard=discard,
    )
    try:
        await election.lead(release.run)
    except BaseException:
        await election.release()  # the operators go on
        raise
    finally:
        await redis.close()
        celery.close()
        await api.close()
    log.info("all jobs are let go")


async def _for_each(jobs: list[ReconstructionJob], act: Callable[[ReconstructionJob], Awaitable[None]]) -> None:
    for start in range(0, len(jobs), AT_ONCE):
        await asyncio.gather(*map(act, jobs[start : start + AT_ONCE]))
