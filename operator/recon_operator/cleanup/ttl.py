"""`spec.ttlSecondsAfterFinished`: finished jobs go when their time is over.

When a job is due is a pure function; what is done about it has one place, `JobRemoval`. It trusts nothing that it has
kept: a due job is read again, and deleted at that very version, so that whoever changes it meanwhile wins.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from recon_api.resource import FINISHED_LABEL, ReconstructionJob
from recon_operator.cleanup.finished_label import is_mislabelled
from recon_operator.cleanup.output_removal import OutputRemoval
from recon_operator.clients.celery_client import BrokerError
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesApi, KubernetesError
from recon_operator.clients.redis_state import StateUnavailableError
from recon_operator.jobs.installation import Installation
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.telemetry.logs import job_logger
from recon_operator.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

TICK_S = 0.5
"""Between two looks at the wall clock, which may jump; a look at nothing due costs nothing."""

AT_ONCE = 16
"""Jobs that are read and deleted at once."""

RETRY_S = 10.0
"""Before a job is looked at again that could not be removed."""


Claim = Callable[[ReconstructionJob], Awaitable[object]]
"""Writes into this version of a job that this installation manages it. Raises KubernetesError."""


def due_at(job: ReconstructionJob, default_ttl_s: int | None) -> float | None:
    """Return when a job is to be removed, in seconds since the epoch; None where it stays."""
    ttl_s, ended = ttl_of(job, default_ttl_s), job.status.completion_time
    if ttl_s is None or ended is None or not _is_over(job):
        return None
    return ended.timestamp() + ttl_s


def ttl_of(job: ReconstructionJob, default_ttl_s: int | None) -> int | None:
    """Return how long a job stays after its end; None where that is for ever."""
    own = job.spec.ttl_seconds_after_finished
    return default_ttl_s if own is None else own


def takes_outputs_along(job: ReconstructionJob) -> bool:
    """Say whether files that the job may have published go with it."""
    return not job.spec.output.retain and job.status.execution_attempts > 0


def _is_over(job: ReconstructionJob) -> bool:
    """Say whether a job is ours and has ended, and we have said so ourselves."""
    labelled = FINISHED_LABEL in job.metadata.labels and not is_mislabelled(job)
    return job.status.phase.finished and labelled and job.metadata.deletion_timestamp is None and job.is_ours


@dataclass(frozen=True)
class _Removable:
    """What is kept of a job that is to go."""

    namespace: str
    name: str
    due_at: float


class JobRemoval:
    """Removes finished jobs when they are due; subscribes to them (`recon_operator.watch.finished_jobs`)."""

    def __init__(
        self,
        *,
        api: KubernetesApi,
        outputs: OutputRemoval,
        metrics: Metrics,
        default_ttl_s: int | None,
        installation: Installation | None = None,
        claim: Claim | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remove by `api` the jobs of `installation`, by default all; one that names none is its own by `claim` first.

        `clock` gives seconds since the epoch, and may jump.
        """
        self._installation, self._claim = installation or Installation(), claim
        self._api, self._outputs, self._metrics = api, outputs, metrics
        self._default_ttl_s, self._clock = default_ttl_s, clock
        self._removable: dict[str, _Removable] = {}
        self._work = WorkQueue(clock)

    def seen(self, job: ReconstructionJob) -> None:
        """Record when a finished job is to go, or that it stays."""
        due = due_at(job, self._default_ttl_s)
        known = self._removable.get(job.uid)
        if due is None:
            self.gone(job.uid)
        elif known is None or known.due_at != due:
            self._removable[job.uid] = _Removable(job.metadata.namespace, job.metadata.name, due)
            self._work.add_at(job.uid, due)  # the earlier time stays, and finds that it is not due
            if due > self._clock():
                self._outputs.forget(job.uid)

    def gone(self, uid: str) -> None:
        """Forget a job that went or that stays."""
        if self._removable.pop(uid, None):
            self._work.forget(uid)
            self._outputs.forget(uid)

    async def run(self) -> None:
        """Remove what is due until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remove_jobs())
            group.create_task(self._remove_outputs())

    async def _remove_jobs(self) -> None:
        while True:
            due = self._work.take_due(AT_ONCE)
            problems = [problem for problem in await asyncio.gather(*map(self._look_at, due)) if problem]
            if problems:
                log.warning(
                    "%d finished jobs cannot be removed, next try in %.0f s: %s", len(problems), RETRY_S, problems[0]
                )
            if len(due) < AT_ONCE:
                await asyncio.sleep(TICK_S)

    async def _remove_outputs(self) -> None:
        while True:
            with suppress(StateUnavailableError, BrokerError):  # the jobs stay until Redis and workers are back
                for uid in await self._outputs.turn():
                    self._work.add(uid)
            await asyncio.sleep(TICK_S)

    async def _look_at(self, uid: str) -> str:
        """Bring a job that seems to be due a step closer to its removal; return what hinders that, if anything does."""
        known = self._removable.get(uid)
        try:
            if known is not None:
                found = ReconstructionJob.model_validate(await self._api.get_job(known.namespace, known.name))
                if found.uid == uid and self._installation.manages(found):
                    await self._remove(found)
                else:
                    self.gone(uid)
        except (GoneError, ValidationError):
            self.gone(uid)
        except ConflictError:
            self._work.add(uid)
        except KubernetesError as error:
            self._work.add_at(uid, self._clock() + max(RETRY_S, error.retry_after_s))
            return str(error)
        except Exception:  # a fault of ours over one job must not end the operator
            self._work.add_at(uid, self._clock() + RETRY_S)
            job_key = f"{known.namespace}/{known.name}" if known else uid
            log.exception("%s could not be removed, which is tried again", job_key)
        finally:
            self._work.done(uid)
        return ""

    async def _remove(self, job: ReconstructionJob) -> None:
        """Delete this version of a job if it is due, once nothing of it is left that goes with it."""
        self.seen(job)
        known = self._removable.get(job.uid)
        if known is None:
            return
        if known.due_at > self._clock():
            self._work.add_at(job.uid, known.due_at)
        elif self._claim and job.status.operator != self._installation.identity:
            await self._claim(job)  # or two installations would have its outputs deleted, each by workers of its own
            self._work.add(job.uid)
        elif takes_outputs_along(job) and not self._outputs.is_done(job.uid):
            self._outputs.want(job)  # which has the job looked at again once they are gone
        else:
            await self._delete(job)

    async def _delete(self, job: ReconstructionJob) -> None:
        metadata = job.metadata
        await self._api.delete_job(
            metadata.namespace, metadata.name, uid=job.uid, resource_version=metadata.resource_version
        )
        self.gone(job.uid)
        self._metrics.removed.inc()
        outputs = "with its outputs, " if takes_outputs_along(job) else ""
        ttl_s = ttl_of(job, self._default_ttl_s)
        job_logger(__name__, job).info("removed, %sas ttlSecondsAfterFinished is %s", outputs, ttl_s)
