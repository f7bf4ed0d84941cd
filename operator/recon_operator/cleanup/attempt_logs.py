"""The logs of attempts, which go with their job.

Only workers reach the storage: a message has one of them remove the logs. Most jobs are seen to go. Those that went while no
operator ran are found in Redis, where workers record which jobs have logs; their attempts are stopped first, if any still runs.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from recon_api.resource import FINALIZER, ReconstructionJob
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import KubernetesApi, KubernetesError, job_exists
from recon_operator.clients.redis_state import RedisState, StateUnavailableError

log = logging.getLogger(__name__)

TICK_S = 1.0
RETRY_S = 5.0
"""Before servers that did not answer are asked again about a job."""

SEARCH_INTERVAL_S = 3600.0
"""Between two searches for jobs that went unseen; the first one is made when an operator begins to lead."""

ASK_AGAIN_S = 24 * 3600.0
"""Before workers are asked again to remove the logs of a job: where a pool has none, the messages wait."""

STOP_INTERVAL_S = 2.0
"""Between two orders to stop an attempt that still runs."""

AT_ONCE = 16
"""Jobs that are asked about in a tick."""


@dataclass(frozen=True)
class _Suspect:
    """A job that seems to be gone."""

    uid: str
    namespace: str
    name: str
    gpu_class: str
    attempt: int
    """The latest one, which still runs where nobody has seen the job go."""
    due_at: float = 0.0
    """When it is to be asked about, by the clock."""


class AttemptLogs:
    """Has the logs of jobs that are gone removed."""

    def __init__(
        self,
        api: KubernetesApi,
        redis: RedisState,
        celery: CeleryClient,
        namespaces: tuple[str, ...] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look for jobs of these namespaces, by default of all; `clock` gives seconds."""
        self._api, self._redis, self._celery, self._clock = api, redis, celery, clock
        self._namespaces: tuple[str | None, ...] = namespaces or (None,)
        self._suspects: dict[str, _Suspect] = {}
        self._asked: dict[str, float] = {}
        """When workers were asked to remove the logs of a job."""
        self._search_at = clock()

    def seen_to_go(self, job: ReconstructionJob) -> None:
        """Record a job that a watch no longer shows, as it was last: it may be gone, or may only have left what that watch shows.

        Its status need not name its logs: that of an attempt that was stopped at once does not.
        """
        metadata = job.metadata
        has_ended_only = FINALIZER in metadata.finalizers and metadata.deletion_timestamp is None
        if not has_ended_only:
            self.suspect(job)

    def suspect(self, job: ReconstructionJob) -> None:
        """Have the logs removed of a job that seems to be gone, if it is; one that was never sent has none."""
        metadata = job.metadata
        if attempt := job.status.execution_attempts:
            self._suspects[job.uid] = _Suspect(job.uid, metadata.namespace, metadata.name, job.spec.gpu_class, attempt)

    async def run(self) -> None:
        """Have logs removed until cancelled."""
        while True:
            await self.turn()
            await asyncio.sleep(TICK_S)

    async def turn(self) -> None:
        """Search, where that is due, and have the logs removed of the jobs that are gone."""
        with suppress(KubernetesError, StateUnavailableError):
            if self._clock() >= self._search_at:
                await self._search()
                self._search_at = self._clock() + SEARCH_INTERVAL_S
        due = [suspect for suspect in self._suspects.values() if suspect.due_at <= self._clock()]
        for suspect in due[:AT_ONCE]:
            await self._look_at(suspect)

    async def _search(self) -> None:
        """Suspect the jobs that have logs and do not exist. What Redis holds is read first: a job exists before it has a log."""
        recorded, now = await self._redis.job_files(), self._clock()
        self._asked = {uid: at for uid, at in self._asked.items() if uid in recorded and now - at < ASK_AGAIN_S}
        if not recorded:
            return
        existing = {uid for namespace in self._namespaces for uid in await self._existing(namespace)}
        for uid, files in recorded.items():
            managed = None in self._namespaces or files.namespace in self._namespaces
            if managed and not (uid in existing or uid in self._suspects or uid in self._asked):
                self._suspects[uid] = _Suspect(uid, files.namespace, files.name, files.gpu_class, files.attempt)

    async def _existing(self, namespace: str | None) -> set[str]:
        return {item["metadata"]["uid"] async for items, _ in self._api.list_jobs(namespace) for item in items}

    async def _look_at(self, suspect: _Suspect) -> None:
        try:
            if await job_exists(self._api, suspect.namespace, suspect.name, suspect.uid):
                del self._suspects[suspect.uid]
            elif await self._redis.living_owner(suspect.uid, suspect.attempt):
                await self._redis.forget(suspect.uid)
                await self._redis.set_stop_flag(suspect.uid)  # a flag that goes by itself: nobody is left to clear it
                self._suspects[suspect.uid] = replace(suspect, due_at=self._clock() + STOP_INTERVAL_S)
            else:
                await self._celery.discard(suspect.uid, suspect.namespace, suspect.gpu_class, logs=True)
                self._asked[suspect.uid] = self._clock()
                del self._suspects[suspect.uid]
        except (KubernetesError, StateUnavailableError, BrokerError) as error:
            log.debug("whether job %s is gone is asked again: %s", suspect.uid, error)
            self._suspects[suspect.uid] = replace(suspect, due_at=self._clock() + RETRY_S)
