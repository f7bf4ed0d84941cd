"""Listing all jobs now and then: a watch that starts again does not show which jobs went meanwhile."""

import asyncio
import logging

from prometheus_client import Counter

from recon_api.resource import FINISHED_LABEL
from recon_operator.clients.kubernetes_api import KubernetesApi, KubernetesError
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.work_queue import WorkQueue

log = logging.getLogger(__name__)

UNFINISHED = f"!{FINISHED_LABEL}"
"""Label selector of the jobs that are watched."""

RETRY_S = 2.0


class Relist:
    """Compares the jobs known with those that exist."""

    def __init__(
        self, api: KubernetesApi, jobs: Jobs, work: WorkQueue, namespaces: tuple[str, ...], *, missed: Counter
    ) -> None:
        """List by `api`, in these namespaces or in all; `missed` counts what only the list showed."""
        self._missed = missed
        self._api, self._jobs, self._work = api, jobs, work
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)

    async def first(self) -> None:
        """Wait until the API server serves our kind, then take over all jobs."""
        waits_for = ""
        while True:
            try:
                if await self._api.is_kind_served():
                    await self.once()
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
        """List again and again until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            try:
                self._missed.inc(await self.once())
            except KubernetesError as error:
                log.warning("the jobs cannot be listed, next time in %.0f s: %s", interval_s, error)

    async def once(self) -> int:
        """Take over the list of all jobs, have what was news looked at, and return how many. Raises KubernetesError."""
        listed = []
        oldest = ""
        for namespace in self._namespaces:
            async for items, version in self._api.list_jobs(namespace, UNFINISHED):
                oldest = oldest or version  # a job newer than this may be in none of the lists
                listed += [read_job(item) for item in items]
        news = self._jobs.replace(listed, oldest)
        for uid in news:
            self._work.add(uid)
        return len(news)
