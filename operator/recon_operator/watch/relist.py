"""Listing all jobs now and then: a watch that starts again does not show which jobs went meanwhile."""

import asyncio
import logging
from collections.abc import Sequence

from prometheus_client import Counter

from recon_api.resource import FINISHED_LABEL
from recon_operator.clients.kubernetes_api import KubernetesApi, KubernetesError, RefusedError
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.watch.namespaces import WatchedNamespaces

log = logging.getLogger(__name__)

UNFINISHED = f"!{FINISHED_LABEL}"
"""Label selector of the jobs that are watched."""

RETRY_S = 2.0


class Relist:
    """Compares the jobs known with those that exist, in each namespace by itself."""

    def __init__(
        self,
        api: KubernetesApi,
        jobs: Jobs,
        work: WorkQueue,
        namespaces: tuple[str, ...],
        *,
        missed: Counter,
        watched: WatchedNamespaces | None = None,
    ) -> None:
        """List by `api`, in these namespaces or in all; `missed` counts what only the list showed.

        `watched` hears which namespaces can be listed, and says which are to be tried again.
        """
        self._missed, self._watched = missed, watched
        self._api, self._jobs, self._work = api, jobs, work
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)

    async def first(self) -> None:
        """Wait until the API server serves our kind and one namespace can be listed, then take over all jobs of those that can."""
        waits_for = ""
        while True:
            try:
                if await self._api.is_kind_served():
                    await self.take_over()
                    log.info("%d unfinished jobs found", len(self._jobs))
                    return
                reason = "the definition of ReconstructionJob (crds/reconstructionjobs.yaml)"
            except KubernetesError as error:
                reason = f"the API server at {self._api.server}: {error}"
            if reason != waits_for:
                log.warning("waiting for %s", reason)
            waits_for = reason
            await asyncio.sleep(RETRY_S)

    async def run(self, interval_s: float) -> None:
        """List again and again until cancelled: all namespaces at this interval, and missing ones much more often."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._list_all_now_and_then(interval_s))
            group.create_task(self._look_for_missing())

    async def take_over(self) -> None:
        """Take over the lists of all namespaces that can be listed. Raises KubernetesError where none can be."""
        failed = await self._try_to_list(self._namespaces)
        if len(failed) == len(self._namespaces):
            raise next(iter(failed.values()))
        for namespace, error in failed.items():
            self._record_lost(namespace, error)

    async def list_all(self) -> None:
        """Take over the list of each namespace that can be listed, and count what only it has shown."""
        for namespace, error in (await self._try_to_list(self._namespaces, count=True)).items():
            if isinstance(error, RefusedError):
                self._record_lost(namespace, error)
            log.warning("the jobs cannot be listed, which is tried again: %s", error)

    async def _list_all_now_and_then(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            await self.list_all()

    async def _look_for_missing(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            if self._watched and self._watched.missing:
                await self._try_to_list(tuple(self._watched.missing))

    async def _try_to_list(
        self, namespaces: Sequence[str | None], *, count: bool = False
    ) -> dict[str | None, KubernetesError]:
        """List namespaces at the same time, counting what was missed where asked to; return those that fail, and why."""
        results = await asyncio.gather(*map(self._list, namespaces), return_exceptions=True)
        failed: dict[str | None, KubernetesError] = {}
        for namespace, result in zip(namespaces, results, strict=True):
            if isinstance(result, KubernetesError):
                failed[namespace] = result
            elif isinstance(result, BaseException):
                raise result
            elif count:
                self._missed.inc(result)
        return failed

    async def _list(self, namespace: str | None) -> int:
        """Take over the list of a namespace's jobs, or of all; return how much of it was news. Raises KubernetesError.

        A missing namespace is there again once it can be watched, too: a right to list it may come alone.
        """
        listed, oldest = [], ""
        async for items, version in self._api.list_jobs(namespace, UNFINISHED):
            oldest = oldest or version  # a job newer than this may be in none of the chunks
            listed += [read_job(item) for item in items]
        if self._watched and namespace in self._watched.missing:
            await self._api.try_watch(namespace, UNFINISHED, oldest)
        news = self._jobs.replace(listed, oldest, namespace)
        for uid in news:
            self._work.add(uid)
        if self._watched and namespace:
            self._watched.found(namespace)
        return len(news)

    def _record_lost(self, namespace: str | None, error: KubernetesError) -> None:
        if self._watched and namespace:
            self._watched.lost(namespace, str(error))
