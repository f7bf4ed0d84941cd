"""The finished jobs, which the operator does not keep: each is handed on as a watch of their own shows it.

kopf's watch leaves them out, for they are many and hardly ever change. This one keeps none of them either: it lists them
in chunks, then hears of changes. A job that goes while the watch is broken is not told of: what is kept of a job has
to prove true before it is acted on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import ValidationError

from recon_api.resource import FINISHED_LABEL, ReconstructionJob
from recon_operator.clients.kubernetes_api import ExpiredError, KubernetesApi, KubernetesError
from recon_operator.jobs.installation import Installation

log = logging.getLogger(__name__)

RECONNECT_S = 1.0
"""Between two watches, so that a server that closes each one at once is not asked all the time."""

LIST_AGAIN_AFTER = 3
"""Watches in a row that tell of nothing, not even of a new version, after which the jobs are listed again.

A server whose etcd was restored from a backup keeps quiet on a version that is still to come.
"""

Seen = Callable[[ReconstructionJob], None]
"""Records a finished job as it is now. It is shown again after each change, and now and then without one."""

Gone = Callable[[ReconstructionJob], None]
"""Records that a job was deleted, is not finished any more, or belongs to another installation."""


class FinishedJobs:
    """Shows the finished jobs of some namespaces, or of all, to whoever wants to know."""

    def __init__(
        self,
        api: KubernetesApi,
        namespaces: tuple[str, ...],
        *,
        seen: Sequence[Seen],
        gone: Sequence[Gone] = (),
        installation: Installation | None = None,
    ) -> None:
        """Watch by `api` once `run` runs; only the jobs of `installation` are shown, by default all."""
        self._api, self._seen, self._gone = api, seen, gone
        self._installation = installation or Installation()
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._namespaces:
                group.create_task(self._follow(namespace))

    async def _follow(self, namespace: str | None) -> None:
        """List, then watch from there on, again and again."""
        version, silent, broken = "", 0, False
        while True:
            try:
                version = version or await self._list(namespace)
                silent += 1
                async for event in self._api.watch_jobs(namespace, FINISHED_LABEL, version):
                    version, silent, broken = event.resource_version, 0, False
                    self._notify(event.type, event.object)
            except ExpiredError:
                version = ""
            except KubernetesError as error:
                if not broken:
                    log.warning("finished jobs cannot be watched, which is tried again: %s", error)
                broken = True
                await asyncio.sleep(error.retry_after_s)
            if silent >= LIST_AGAIN_AFTER:
                version, silent = "", 0
            await asyncio.sleep(RECONNECT_S)

    async def _list(self, namespace: str | None) -> str:
        """Show all that there are; return a version from which a watch misses nothing. Raises KubernetesError."""
        oldest = ""
        async for items, version in self._api.list_jobs(namespace, FINISHED_LABEL):
            oldest = oldest or version
            for item in items:
                self._notify("ADDED", item)
        return oldest

    def _notify(self, event_type: str, body: dict[str, Any]) -> None:
        if event_type == "BOOKMARK":
            return
        try:
            job = ReconstructionJob.model_validate(body)
        except ValidationError:
            return  # of a version that this one does not know: nothing is known of its end either
        try:
            if event_type == "DELETED" or not self._installation.manages(job):
                for gone in self._gone:
                    gone(job)
            else:
                for seen in self._seen:
                    seen(job)
        except Exception:  # a fault of ours over one job must not end the watch
            log.exception("what %s shows could not be recorded", job.key)
