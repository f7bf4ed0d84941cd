"""The components of the operator, put together."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from recon_api.reasons import NAMESPACE_MISSING, OTHER_OPERATOR
from recon_api.resource import ReconstructionJob, RestoredJobs
from recon_operator.act.actor import Actor
from recon_operator.act.credentials import CredentialsProvider
from recon_operator.act.deferred_stops import DeferredStops
from recon_operator.act.events import EventPublisher
from recon_operator.act.refused_writes import RefusedWrites
from recon_operator.act.send_order import SendOrder
from recon_operator.act.status_writer import StatusWriter
from recon_operator.cleanup.attempt_logs import AttemptLogs
from recon_operator.cleanup.correction import Correction
from recon_operator.cleanup.finished_label import finished_labels
from recon_operator.cleanup.observed_generation import observed_generations
from recon_operator.cleanup.output_removal import OutputRemoval
from recon_operator.cleanup.ttl import JobRemoval
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi, own_namespace
from recon_operator.clients.redis_state import RedisState
from recon_operator.decide.decision import Event
from recon_operator.estimates.run_history import RunHistory
from recon_operator.health import HealthServer
from recon_operator.jobs.attempt_notes import AttemptNotes
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.installation import Installation
from recon_operator.jobs.other_installations import OtherInstallations
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.leader.election import LeaderElection
from recon_operator.observe.observer import Observer
from recon_operator.reconcile import Reconciler
from recon_operator.scheduling.pod_deletion_cost import PodDeletionCosts
from recon_operator.settings import OperatorSettings
from recon_operator.telemetry.metrics import Metrics
from recon_operator.telemetry.tracing import Tracing, make_tracing
from recon_operator.watch.finished_jobs import FinishedJobs
from recon_operator.watch.liveness import WatchLiveness
from recon_operator.watch.namespaces import Report, WatchedNamespaces
from recon_operator.watch.redis_notifications import RedisNotifications
from recon_operator.watch.relist import Relist


@dataclass(frozen=True)
class Cleanup:
    """What follows a job's end: the watch of finished jobs, and what is done about them."""

    finished_jobs: FinishedJobs
    removal: JobRemoval
    corrections: dict[str, Correction]
    logs: AttemptLogs

    def tasks(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what runs, by name."""
        return {
            "watch finished jobs": self.finished_jobs.run(),
            "remove finished jobs": self.removal.run(),
            "remove logs": self.logs.run(),
            **{name: correction.run() for name, correction in self.corrections.items()},
        }


@dataclass(frozen=True)
class Components:
    """What an operator consists of."""

    jobs: Jobs
    work: WorkQueue
    api: KubernetesApi
    redis: RedisState
    celery: CeleryClient
    events: EventPublisher
    deferred_stops: DeferredStops
    metrics: Metrics
    watch: WatchLiveness
    namespaces: WatchedNamespaces
    tracing: Tracing
    history: RunHistory
    reconciler: Reconciler
    notifications: RedisNotifications
    relist: Relist
    cleanup: Cleanup
    pod_deletion_costs: PodDeletionCosts
    election: LeaderElection
    health: HealthServer

    def tasks(self, relist_interval_s: float) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the watch, by name."""
        return {
            "reconcile": self.reconciler.run(),
            "listen": self.notifications.run(),
            "publish events": self.events.run(),
            "stop deferred": self.deferred_stops.run(),
            "relist": self.relist.run(relist_interval_s),
            "keep run history": self.history.run(),
            "mark busy workers": self.pod_deletion_costs.run(),
            **self.cleanup.tasks(),
        }

    async def drain(self, within_s: float) -> None:
        """Wait for passes and events that are under way, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.reconciler.drain()
                await self.events.drain()

    async def hand_over(self, within_s: float) -> None:
        """Let another operator lead, once nothing of this one is on its way any more; nothing is written after this."""
        try:
            async with asyncio.timeout(within_s):
                await self.celery.stop()
        except TimeoutError:
            return  # a message may still leave: the lease runs out by itself
        await self.election.release()

    async def close(self) -> None:
        """Close all connections."""
        await self.health.stop()
        await self.redis.close()
        self.celery.close()
        self.tracing.close()
        await self.api.close()


def assemble(settings: OperatorSettings, api: KubernetesApi, fence: Fence, election: LeaderElection) -> Components:
    """Put an operator together that writes only through `fence`; nothing of it runs yet."""
    limits, work, notes, installation = settings.limits(), WorkQueue(), AttemptNotes(), settings.this_installation()
    redis, celery = _redis_state(settings, fence), _celery_client(settings, fence)
    logs, tracing = AttemptLogs(api, redis, celery, settings.namespaces), _tracing(settings)
    watch, events = WatchLiveness(settings.namespaces), EventPublisher(api)
    jobs = Jobs(installation, OtherInstallations(lambda job: _report_other(events, job, installation)))
    writer = _status_writer(settings, api, jobs, events)
    deferred_stops, send_order = DeferredStops(api, redis, celery, logs.suspect), SendOrder()
    metrics, history = Metrics(jobs, watch), RunHistory(redis.state, settings.default_model)
    namespaces = WatchedNamespaces(settings.namespaces, watch, _missing_namespaces(settings, events, metrics))
    observer = Observer(redis, history, notes, longest_gap_s=2 * limits.watch_interval_s)
    actor = Actor(
        api=api,
        writer=writer,
        redis=redis,
        celery=celery,
        events=events,
        jobs=jobs,
        notes=notes,
        metrics=metrics,
        deferred_stops=deferred_stops,
        credentials=_credentials(settings, api, redis),
        send_order=send_order,
        tracing=tracing,
    )
    reconciler = Reconciler(
        jobs=jobs,
        work=work,
        observer=observer,
        actor=actor,
        api=api,
        metrics=metrics,
        limits=limits,
        send_order=send_order,
        history=history,
        concurrency=settings.concurrency,
    )
    _report(metrics, election, redis, work, reconciler, writer)
    return Components(
        jobs=jobs,
        work=work,
        api=api,
        redis=redis,
        celery=celery,
        events=events,
        deferred_stops=deferred_stops,
        metrics=metrics,
        watch=watch,
        namespaces=namespaces,
        tracing=tracing,
        history=history,
        reconciler=reconciler,
        notifications=RedisNotifications(redis, jobs, work, observer),
        relist=Relist(api, jobs, work, settings.namespaces, missed=metrics.missed, watched=namespaces),
        cleanup=_cleanup(settings, api, writer, OutputRemoval(redis, celery), logs, metrics, history, installation),
        pod_deletion_costs=PodDeletionCosts(api, jobs, settings.worker_namespace, settings.worker_selector),
        election=election,
        health=HealthServer(reconciler, election, metrics.registry, watch, writer.refused),
    )


def _report(
    metrics: Metrics,
    election: LeaderElection,
    redis: RedisState,
    work: WorkQueue,
    reconciler: Reconciler,
    writer: StatusWriter,
) -> None:
    """Have the metrics read at each scrape what these know."""
    metrics.report_leader(lambda: election.leads)
    metrics.follow(redis=lambda: redis.available, waiting=work.__len__, last_turn=lambda: reconciler.last_turn)
    metrics.report_refused_writes(writer.refused.__len__)


def _cleanup(
    settings: OperatorSettings,
    api: KubernetesApi,
    writer: StatusWriter,
    outputs: OutputRemoval,
    logs: AttemptLogs,
    metrics: Metrics,
    history: RunHistory,
    installation: Installation,
) -> Cleanup:
    removal = JobRemoval(
        api=api,
        outputs=outputs,
        metrics=metrics,
        default_ttl_s=settings.default_ttl_seconds_after_finished,
        installation=installation,
        claim=lambda job: writer.write(job, job.status.model_copy(update={"operator": installation.identity})),
    )
    corrections = {
        "correct labels": finished_labels(api, RestoredJobs(settings.restored_jobs)),
        "correct generations": observed_generations(writer.write),
    }
    seen = (history.learn, removal.seen, *(each.seen for each in corrections.values()))
    gone = (lambda job: removal.gone(job.uid), lambda job: writer.refused.forget(job.uid), logs.seen_to_go)
    finished_jobs = FinishedJobs(api, settings.namespaces, seen=seen, gone=gone, installation=installation)
    return Cleanup(finished_jobs, removal, corrections, logs)


def _status_writer(settings: OperatorSettings, api: KubernetesApi, jobs: Jobs, events: EventPublisher) -> StatusWriter:
    refused = RefusedWrites(events, namespaces=len(settings.namespaces))
    return StatusWriter(api, jobs, refused, settings.status_writes_per_s)


def _report_other(events: EventPublisher, job: ReconstructionJob, installation: Installation) -> None:
    """Say of a job that another installation manages it, in an event of the job."""
    message = f"The operator {job.status.operator} manages the job; {installation.identity} leaves it alone"
    events.publish_once(job, Event(OTHER_OPERATOR, message, warning=True))


def _missing_namespaces(settings: OperatorSettings, events: EventPublisher, metrics: Metrics) -> Report:
    """Return what says of a namespace that it is missing: a metric, and an event beside the lease, where one may be written."""

    def report(name: str, why: str) -> None:
        metrics.namespace_missing.labels(name).set(bool(why))
        if why:
            message = f"The jobs of namespace {name} cannot be read and wait: {why}"
            event = Event(NAMESPACE_MISSING, message, warning=True)
            events.publish_about_lease(settings.lease_namespace or own_namespace(), settings.lease_name, event)

    for name in settings.namespaces:
        report(name, "")
    return report


def _celery_client(settings: OperatorSettings, fence: Fence) -> CeleryClient:
    return CeleryClient(settings.celery_broker_url, settings.redis_timeout_s, fence)


def _redis_state(settings: OperatorSettings, fence: Fence) -> RedisState:
    return RedisState(
        settings.celery_broker_url,
        settings.celery_result_backend,
        settings.redis_state_db,
        settings.redis_timeout_s,
        fence,
    )


def _credentials(settings: OperatorSettings, api: KubernetesApi, redis: RedisState) -> CredentialsProvider:
    key = settings.credentials_key.get_secret_value() if settings.credentials_key else None
    return CredentialsProvider(api, redis, key)


def _tracing(settings: OperatorSettings) -> Tracing:
    return make_tracing(settings.otel_exporter_otlp_endpoint)
