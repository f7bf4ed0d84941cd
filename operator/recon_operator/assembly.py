"""The parts of the operator, put together."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from recon_operator.act.actor import Actor
from recon_operator.act.credentials import CredentialsDesk
from recon_operator.act.deferred_stops import LateStops
from recon_operator.act.events import EventPublisher
from recon_operator.act.status_writer import StatusWriter
from recon_operator.cleanup.finished_label import Mislabelled
from recon_operator.cleanup.output_removal import OutputRemoval
from recon_operator.cleanup.ttl import JobRemoval
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.clients.redis_state import RedisState
from recon_operator.estimates.run_history import Durations
from recon_operator.health import HealthServer
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.leader.election import Leadership
from recon_operator.observe.observer import Observer
from recon_operator.reconcile import Reconciler
from recon_operator.scheduling.pod_deletion_cost import BusyWorkers
from recon_operator.settings import OperatorSettings
from recon_operator.telemetry.metrics import Metrics
from recon_operator.telemetry.tracing import Tracing, make_tracing
from recon_operator.watch.finished_jobs import FinishedJobs
from recon_operator.watch.liveness import WatchLiveness
from recon_operator.watch.redis_notifications import ProgressListener
from recon_operator.watch.relist import Relist


@dataclass(frozen=True)
class Parts:
    """What an operator consists of."""

    jobs: Jobs
    work: WorkQueue
    api: KubernetesApi
    redis: RedisState
    celery: CeleryClient
    events: EventPublisher
    late_stops: LateStops
    metrics: Metrics
    watch: WatchLiveness
    tracing: Tracing
    durations: Durations
    reconciler: Reconciler
    listener: ProgressListener
    relist: Relist
    finished_jobs: FinishedJobs
    removal: JobRemoval
    mislabelled: Mislabelled
    busy_workers: BusyWorkers
    leadership: Leadership
    health: HealthServer

    def tasks(self, relist_interval_s: float) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what runs beside the watch, by name."""
        return {
            "reconcile": self.reconciler.run(),
            "listen": self.listener.run(),
            "publish events": self.events.run(),
            "stop late": self.late_stops.run(),
            "relist": self.relist.run(relist_interval_s),
            "keep durations": self.durations.run(),
            "watch finished jobs": self.finished_jobs.run(),
            "remove finished jobs": self.removal.run(),
            "correct labels": self.mislabelled.run(),
            "mark busy workers": self.busy_workers.run(),
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
        await self.leadership.release()

    async def close(self) -> None:
        """Close all connections."""
        await self.health.stop()
        await self.redis.close()
        self.celery.close()
        self.tracing.close()
        await self.api.close()


def assemble(settings: OperatorSettings, api: KubernetesApi, fence: Fence, leadership: Leadership) -> Parts:
    """Put an operator together that writes only through `fence`; nothing of it runs yet."""
    limits, jobs, work = settings.limits(), Jobs(), WorkQueue()
    redis = RedisState(
        settings.celery_broker_url,
        settings.celery_result_backend,
        settings.redis_state_db,
        settings.redis_timeout_s,
        fence,
    )
    celery = CeleryClient(settings.celery_broker_url, settings.redis_timeout_s, fence)
    watch = WatchLiveness(settings.namespaces)
    metrics, events = Metrics(jobs, watch), EventPublisher(api)
    metrics.tell_leader(lambda: leadership.leads)
    durations = Durations(redis.state, settings.default_model)
    key = settings.credentials_key.get_secret_value() if settings.credentials_key else None
    desk = CredentialsDesk(api, redis, key)
    observer = Observer(redis, durations, longest_gap_s=2 * limits.watch_interval_s, unsent_result=desk.refusal)
    late_stops, tracing = LateStops(redis, celery), make_tracing(settings.otel_exporter_otlp_endpoint)
    actor = Actor(
        api=api, writer=StatusWriter(api, jobs, settings.status_writes_per_s), redis=redis, celery=celery, events=events,
        jobs=jobs, observer=observer, metrics=metrics, late_stops=late_stops, credentials=desk,
        tracing=tracing,
    )  # fmt: skip
    reconciler = Reconciler(
        jobs=jobs, work=work, observer=observer, actor=actor, api=api, metrics=metrics, limits=limits,
        durations=durations, concurrency=settings.concurrency,
    )  # fmt: skip
    metrics.follow(
        redis=lambda: redis.available, waiting=work.__len__,
        last_turn=lambda: reconciler.last_turn,
    )  # fmt: skip
    removal = JobRemoval(
        api=api, outputs=OutputRemoval(redis, celery), metrics=metrics,
        default_ttl_s=settings.default_ttl_seconds_after_finished,
    )  # fmt: skip
    mislabelled = Mislabelled(api)
    watchers = (durations.learn, removal.seen, mislabelled.seen)
    return Parts(
        jobs=jobs, work=work, api=api, redis=redis, celery=celery, events=events, late_stops=late_stops, metrics=metrics,
        watch=watch, tracing=tracing, durations=durations, reconciler=reconciler,
        listener=ProgressListener(redis, jobs, work, observer),
        relist=Relist(api, jobs, work, settings.namespaces, missed=metrics.missed),
        finished_jobs=FinishedJobs(api, settings.namespaces, seen=watchers, gone=(removal.gone,)),
        removal=removal, mislabelled=mislabelled,
        busy_workers=BusyWorkers(api, jobs, settings.worker_namespace, settings.worker_selector),
        leadership=leadership, health=HealthServer(reconciler, leadership, metrics.registry, watch),
    )  # fmt: skip
