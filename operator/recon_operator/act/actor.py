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
from recon_operator.act.credentials import CredentialsProvider, CredentialsRefusedError
from recon_operator.act.deferred_stops import DeferredStops
from recon_operator.act.events import EventPublisher
from recon_operator.act.send_order import SendOrder
from recon_operator.act.status_writer import StatusWriter, Written
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from recon_operator.decide.decision import (
    AuthoriseAttempt,
    ClearFlags,
    Decision,
    DiscardFiles,
    Effect,
    Event,
    ForgetJob,
    HoldAttempts,
    KillAttempt,
    SendAttempt,
    SetRequestFlag,
    SetStopFlag,
    StopLater,
)
from recon_operator.jobs.attempt_notes import AttemptNotes
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
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
        notes: AttemptNotes,
        metrics: Metrics,
        deferred_stops: DeferredStops,
        credentials: CredentialsProvider,
        send_order: SendOrder,
        tracing: Tracing | None = None,
    ) -> None:
        """Act by these; what is written is recorded in `jobs` at once, and what becomes of attempts in `notes`."""
        self._api, self._writer, self._redis, self._celery = api, writer, redis, celery
        self._events, self._jobs, self._notes, self._metrics = events, jobs, notes, metrics
        self._deferred_stops, self._credentials, self._send_order = deferred_stops, credentials, send_order
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
        await self._finalize(written.job, decision)
        return written.deferred_s

    def stop_vanished(self, job: ReconstructionJob) -> None:
        """Have the attempt stopped of a job that has gone in spite of its finalizer, as it seems."""
        self._deferred_stops.add(job, job.spec.gpu_class, certain=False)

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a job that is done."""
        self._notes.forget(uid)
        self._writer.refused.forget(uid)

    async def _finalize(self, job: ReconstructionJob, decision: Decision) -> None:
        """Take the finalizer off and put the label on, in one write."""
        changes: dict[str, Any] = {}
        if not decision.finalizer and FINALIZER in job.metadata.finalizers:
            self._jobs.let_go(job.uid)
            changes["finalizers"] = [name for name in job.metadata.finalizers if name != FINALIZER]
        if decision.finished and FINISHED_LABEL not in job.metadata.labels:
            changes["labels"] = {FINISHED_LABEL: "true"}
        if changes:
            await self._patch_metadata(job, **changes)

    async def _patch_metadata(self, job: ReconstructionJob, **changes: Any) -> ReconstructionJob:
        body = {"metadata": {"resourceVersion": job.metadata.resource_version, **changes}}
        with self._writer.refused.recorded(job):
            patched = read_job(await self._api.patch_job(job.metadata.namespace, job.metadata.name, body))
        self._jobs.apply(patched)
        return patched.job

    def _report(self, before: ReconstructionJob, written: Written, decision: Decision) -> None:
        if not before.status.observed_generation:
            job_logger(__name__, written.job).info("taken up; it was created at %s", before.metadata.creation_timestamp)
        for event in decision.events:
            if event.reason is STATUS_CORRECTED:
                self._metrics.status_corrections.inc()
            self._publish(written.job, event)
        self._metrics.record_transition(before, written.job)
        self._tracing.note_transition(before, written.job)

    def _publish(self, job: ReconstructionJob, event: Event) -> None:
        level = logging.WARNING if event.warning else logging.INFO
        job_logger(__name__, job).log(level, "%s: %s", event.reason.name, event.message)
        self._events.publish(job, event)

    async def _carry_out(self, job: ReconstructionJob, effect: Effect) -> None:
        match effect:
            case SendAttempt():
                await self._send(job, effect)
            case AuthoriseAttempt(attempt):
                await self._redis.authorise(job.uid, attempt)
            case SetRequestFlag():
                await self._redis.set_request_flag(job.uid)
            case ClearFlags():
                await self._redis.clear_flags(job.uid)
            case SetStopFlag() | HoldAttempts() | KillAttempt() | StopLater():
                await self._stop(job, effect)
            case DiscardFiles(gpu_class):
                await self._discard(job, gpu_class)
            case ForgetJob():
                await self._redis.forget(job.uid)
                await self._redis.drop_credentials(job.uid, job.status.execution_attempts)
                self._notes.forget(job.uid)  # whether it can be written is still of interest: its finalizer goes last

    async def _stop(self, job: ReconstructionJob, order: SetStopFlag | HoldAttempts | KillAttempt | StopLater) -> None:
        match order:
            case SetStopFlag():
                await self._redis.set_stop_flag(job.uid)
            case HoldAttempts():
                await self._redis.hold(job.uid)
            case KillAttempt(attempt):
                job_logger(__name__, job).warning("attempt %d did not stop by itself and is killed", attempt)
                await self._celery.kill(job.uid, attempt)
            case StopLater(gpu_class):
                self._deferred_stops.add(job, gpu_class)

    async def _send(self, job: ReconstructionJob, effect: SendAttempt) -> None:
        """Send an attempt, and publish the Event of it."""
        attempt = effect.payload.attempt
        self._notes.sending(job.uid, attempt)
        try:
            await self._credentials.provide(job, attempt)
            await self._send_order.wait_turn(job.uid)
            sent = await self._authorise_and_send(job, effect)
        except CredentialsRefusedError as refusal:
            self._notes.refused(job.uid, refusal.as_result(attempt))
            raise UnsentError(f"attempt {attempt} is not sent: its credentials cannot be had") from refusal
        except (BrokerError, StateUnavailableError) as error:
            self._notes.not_sent(job.uid, attempt, str(error))
            raise
        if not sent:
            self._notes.not_sent(job.uid, attempt, "")
            return
        self._notes.sent(job.uid)
        if effect.event:
            self._publish(job, effect.event)

    async def _authorise_and_send(self, job: ReconstructionJob, effect: SendAttempt) -> bool:
        """Send an attempt, unless the one before it has come to life again since it was given up; return whether it was sent.

        A worker claims first and reads afterwards which attempt may run; here it is the other way round, so one of the
        two always sees the other.
        """
        attempt = effect.payload.attempt
        await self._redis.authorise(job.uid, attempt)
        if attempt > 1 and await self._redis.living_owner(job.uid, attempt - 1):
            job_logger(__name__, job).warning(
                "attempt %d is still alive; attempt %d waits for it", attempt - 1, attempt
            )
            return False
        payload = effect.payload.model_copy(update={"traceparent": self._tracing.traceparent(effect.payload)})
        with self._tracing.dispatching(payload):
            await self._celery.send(payload, effect.gpu_class)
        return True

    async def _discard(self, job: ReconstructionJob, gpu_class: str) -> None:
        try:
            await self._celery.discard(job.uid, job.metadata.namespace, gpu_class)
        except (BrokerError, StateUnavailableError) as error:
            job_logger(__name__, job).warning("its partial files may be left in the storage: %s", error)
