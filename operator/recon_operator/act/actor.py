"""The only effects of a pass, in the order that makes a crash between any two of them harmless.

1. the finalizer, so that a job that is about to be sent cannot vanish;
2. the status, on the version that was decided on, before the side effects that it promises;
3. the side effects, each of which may be repeated;
4. the finalizer and the label of a job that is done, once nothing of it is left.
"""

import logging
from typing import Any

from recon_api.reasons import STATUS_CORRECTED
from recon_api.resource import FINALIZER, FINISHED_LABEL, ReconstructionJob
from recon_operator.act.credentials import CredentialsDesk
from recon_operator.act.deferred_stops import LateStops
from recon_operator.act.events import EventPublisher
from recon_operator.act.status_writer import StatusWriter, Written
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.decide.decision import (
    AssertRequest,
    AssertStop,
    AuthoriseAttempt,
    Decision,
    DiscardFiles,
    Effect,
    ForgetJob,
    HoldAttempts,
    KillAttempt,
    SendAttempt,
    StopLater,
    WithdrawRequest,
)
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.observe.observer import Observer
from recon_operator.telemetry.logs import job_logger
from recon_operator.telemetry.metrics import Metrics
from recon_operator.telemetry.tracing import NoTracing, Tracing


class UnsentError(Exception):
    """An attempt could not be sent and will not be: the job is to be looked at again at once."""


class Actor:
    """Carries out decisions."""

    def __init__(
        self,
        *,
        api: KubernetesApi,
        writer: StatusWriter,
        redis: RedisState,
        celery: CeleryClient,
        events: EventPublisher,
        jobs: Jobs,
        observer: Observer,
        metrics: Metrics,
        late_stops: LateStops,
        credentials: CredentialsDesk,
        tracing: Tracing | None = None,
    ) -> None:
        """Act by these; what is written is noted in `jobs` at once, and what was not sent in `observer`."""
        self._api, self._writer, self._redis, self._celery = api, writer, redis, celery
        self._events, self._jobs, self._observer, self._metrics = events, jobs, observer, metrics
        self._late_stops, self._credentials = late_stops, credentials
        self._tracing = tracing or NoTracing()

    async def act(self, job: ReconstructionJob, decision: Decision) -> float:
        """Carry out a decision about this version of a job; return how long its progress must wait, 0 if not at all.

        Raises KubernetesError, StateUnavailableError or BrokerError; then the job is to be looked at again.
        """
        before = job
        if decision.finalizer and FINALIZER not in job.metadata.finalizers:
            job = await self._patch_metadata(job, finalizers=[*job.metadata.finalizers, FINALIZER])
        written = await self._writer.write(job, decision.status)
        if written.changed:
            self._report(before, written, decision)
        for effect in decision.effects:
            await self._carry_out(written.job, effect)
        await self._let_go(written.job, decision)
        return written.deferred_s

    async def _let_go(self, job: ReconstructionJob, decision: Decision) -> None:
        """Take the finalizer off and the label on, in one write."""
        changes: dict[str, Any] = {}
        if not decision.finalizer and FINALIZER in job.metadata.finalizers:
            changes["finalizers"] = [name for name in job.metadata.finalizers if name != FINALIZER]
        if decision.finished and FINISHED_LABEL not in job.metadata.labels:
            changes["labels"] = {FINISHED_LABEL: "true"}
        if changes:
            await self._patch_metadata(job, **changes)

    async def _patch_metadata(self, job: ReconstructionJob, **changes: Any) -> ReconstructionJob:
        body = {"metadata": {"resourceVersion": job.metadata.resource_version, **changes}}
        patched = read_job(await self._api.patch_job(job.metadata.namespace, job.metadata.name, body))
        self._jobs.apply(patched)
        return patched.job

    def _report(self, before: ReconstructionJob, written: Written, decision: Decision) -> None:
        log = job_logger(__name__, written.job)
        if not before.status.observed_generation:
            log.info("taken up; it was created at %s", before.metadata.creation_timestamp)
        for event in decision.events:
            if event.reason is STATUS_CORRECTED:
                self._metrics.status_corrections.inc()
            log.log(logging.WARNING if event.warning else logging.INFO, "%s: %s", event.reason.name, event.message)
            self._events.publish(written.job, event)
        self._metrics.note_transition(before, written.job)
        self._tracing.note_transition(before, written.job)

    async def _carry_out(self, job: ReconstructionJob, effect: Effect) -> None:
        match effect:
            case SendAttempt():
                await self._send(job, effect)
            case AuthoriseAttempt(attempt):
                await self._redis.authorise(job.uid, attempt)
            case AssertRequest():
                await self._redis.assert_request(job.uid)
            case WithdrawRequest():
                await self._redis.withdraw_request(job.uid)
            case AssertStop() | HoldAttempts() | KillAttempt() | StopLater():
                await self._stop(job, effect)
            case DiscardFiles(gpu_class):
                await self._discard(job, gpu_class)
            case ForgetJob():
                await self._redis.forget(job.uid)
                await self._redis.drop_credentials(job.uid, job.status.execution_attempts)
                self._observer.forget(job.uid)
                self._credentials.forget(job.uid)

    async def _stop(self, job: ReconstructionJob, order: AssertStop | HoldAttempts | KillAttempt | StopLater) -> None:
        match order:
            case AssertStop():
                await self._redis.assert_stop(job.uid)
            case HoldAttempts():
                await self._redis.hold(job.uid)
            case KillAttempt(attempt):
                job_logger(__name__, job).warning("attempt %d did not stop by itself and is killed", attempt)
                await self._celery.kill(job.uid, attempt)
            case StopLater(gpu_class):
                self._late_stops.add(job, gpu_class)

    async def _send(self, job: ReconstructionJob, effect: SendAttempt) -> None:
        """Send an attempt, unless the one before it has come to life again since it was given up.

        A worker claims first and reads afterwards which attempt may run; here it is the other way round, so one of the
        two always sees the other.
        """
        attempt = effect.payload.attempt
        self._observer.sending(job.uid, attempt)
        if not await self._credentials.hand_over(job, attempt):
            raise UnsentError(f"attempt {attempt} is not sent: its credentials cannot be had")
        await self._redis.authorise(job.uid, attempt)
        if attempt > 1 and await self._redis.living_owner(job.uid, attempt - 1):
            job_logger(__name__, job).warning(
                "attempt %d is still alive; attempt %d waits for it", attempt - 1, attempt
            )
            return
        payload = effect.payload.model_copy(update={"traceparent": self._tracing.traceparent(effect.payload)})
        with self._tracing.dispatching(payload):
            await self._celery.send(payload, effect.gpu_class)
        self._observer.sent(job.uid)

    async def _discard(self, job: ReconstructionJob, gpu_class: str) -> None:
        try:
            await self._celery.discard(job.uid, job.metadata.namespace, gpu_class)
        except (BrokerError, StateUnavailableError) as error:
            job_logger(__name__, job).warning("its partial files may be left in the storage: %s", error)
