"""`spec.output.retain: false`: workers delete the outputs of a job before its object goes.

Only workers reach the storage. A message asks one of them; it deletes if the operator still allows it, and says so in
Redis. What the operator knows of this it may forget: then it asks again, and a worker finds nothing left to delete.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from recon_api.keys import discard_task_id
from recon_api.resource import ReconstructionJob
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.redis_state import RedisState
from recon_operator.telemetry.logs import job_logger

ASK_AGAIN_S = 60.0
"""How long a worker may take before it is asked again, if it has taken the message."""

ASKED_AT_ONCE = 20
"""Messages of one gpuClass at once: jobs wait in the same queue behind them."""


@dataclass
class _Wanted:
    """A job whose outputs are to go; many may wait for long, so that little is kept of each."""

    uid: str
    namespace: str
    path: str
    gpu_class: str
    log: logging.LoggerAdapter[logging.Logger]
    asked_at: float | None = None
    """When a worker was last asked, if one was."""
    late: bool = False
    """Whether no worker has done it in time."""


class OutputRemoval:
    """Has workers delete the outputs of jobs, some at a time, until they say that it is done."""

    def __init__(self, redis: RedisState, celery: CeleryClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask by `celery` and `redis`; `clock` gives seconds."""
        self._redis, self._celery, self._clock = redis, celery, clock
        self._wanted: dict[str, _Wanted] = {}
        self._done: set[str] = set()
        self._withdrawn: set[str] = set()

    def is_done(self, uid: str) -> bool:
        """Say whether a worker has deleted the outputs of a job."""
        return uid in self._done

    def want(self, job: ReconstructionJob) -> None:
        """Have the outputs of a finished job deleted from the next turn on."""
        self._withdrawn.discard(job.uid)
        if job.uid not in self._done:
            self._wanted.setdefault(job.uid, _wanted(job))

    def forget(self, uid: str) -> None:
        """Leave the outputs of a job alone from the next turn on, if they are still there."""
        self._done.discard(uid)
        if self._wanted.pop(uid, None):
            self._withdrawn.add(uid)

    async def turn(self) -> set[str]:
        """Hear what is done and ask for what is not; return the UIDs of the jobs whose outputs are gone since the last turn.

        Raises StateUnavailableError or BrokerError; the next turn goes on from there.
        """
        await self._withdraw()
        first = self._first_in_line()
        done = await self._redis.discarded([wanted.uid for wanted in first]) & self._wanted.keys()
        self._done |= done
        for uid in done:
            del self._wanted[uid]
        await self._ask([wanted for wanted in first if wanted.uid not in done and self._is_due(wanted)])
        return done

    async def _withdraw(self) -> None:
        withdrawn = set(self._withdrawn)
        await self._redis.forbid_discards(withdrawn)
        self._withdrawn -= withdrawn

    def _first_in_line(self) -> list[_Wanted]:
        """Return the first few of each gpuClass."""
        lines: defaultdict[str, list[_Wanted]] = defaultdict(list)
        for wanted in self._wanted.values():
            line = lines[wanted.gpu_class]
            if len(line) < ASKED_AT_ONCE:
                line.append(wanted)
        return list(chain.from_iterable(lines.values()))

    def _is_due(self, wanted: _Wanted) -> bool:
        return wanted.asked_at is None or self._clock() - wanted.asked_at >= ASK_AGAIN_S

    async def _ask(self, due: list[_Wanted]) -> None:
        """Ask for these, with one message of each job in the queue at most."""
        if not due:
            return
        waiting = (await self._redis.read([], {wanted.gpu_class for wanted in due})).waiting
        for wanted in due:
            uid = wanted.uid
            if self._wanted.get(uid) is not wanted:
                continue  # its owner has changed their mind since
            await self._redis.allow_discard(uid)
            if discard_task_id(uid) not in waiting:
                await self._celery.discard(uid, wanted.namespace, wanted.gpu_class, wanted.path)
                if wanted.asked_at is not None:  # a worker took the message and did not do it
                    self._let_others_go_first(uid)
            self._record_asked(wanted)

    def _let_others_go_first(self, uid: str) -> None:
        if wanted := self._wanted.pop(uid, None):
            self._wanted[uid] = wanted

    def _record_asked(self, wanted: _Wanted) -> None:
        """Record that workers are asked, and say once what a job waits for."""
        if wanted.asked_at is not None and not wanted.late:
            message = "is to be removed, and waits for a worker of gpuClass %s to delete its outputs"
            wanted.log.warning(message, wanted.gpu_class)
            wanted.late = True
        wanted.asked_at = self._clock()


def _wanted(job: ReconstructionJob) -> _Wanted:
    path = job.spec.output.path or job.metadata.name
    return _Wanted(job.uid, job.metadata.namespace, path, job.spec.gpu_class, job_logger(__name__, job))
