"""`python -m recon_operator`: run the operator until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys
from contextlib import suppress

import kopf

from recon_operator.act import Actor
from recon_operator.celery_client import CeleryClient
from recon_operator.events import EventPublisher
from recon_operator.handlers import make_registry, make_settings
from recon_operator.health import HealthServer
from recon_operator.jobs import Jobs
from recon_operator.kubernetes_api import KubernetesApi
from recon_operator.logs import configure_logs
from recon_operator.metrics import Metrics
from recon_operator.observe import Observer
from recon_operator.progress_listener import ProgressListener
from recon_operator.reconcile import Reconciler
from recon_operator.redis_state import RedisState
from recon_operator.relist import Relist
from recon_operator.settings import OperatorSettings
from recon_operator.status_writer import StatusWriter
from recon_operator.work_queue import WorkQueue

log = logging.getLogger("recon_operator")

DRAIN_S = 5.0
"""How long passes that are under way may take when the operator stops; what they leave undone the next start does."""

CANCEL_AGAIN_S = 0.5


async def run(settings: OperatorSettings) -> None:
    """Put the operator together and run it until a signal stops it."""
    limits = settings.limits()
    api = await KubernetesApi.connect()
    redis = RedisState(
        settings.celery_broker_url, settings.celery_result_backend, settings.redis_state_db, settings.redis_timeout_s
    )
    celery = CeleryClient(settings.celery_broker_url, settings.redis_timeout_s)
    jobs, work = Jobs(), WorkQueue()
    metrics, observer, events = Metrics(jobs), Observer(redis, 2 * limits.watch_interval_s), EventPublisher(api)
    writer = StatusWriter(api, settings.status_writes_per_s)
    actor = Actor(
        api=api, writer=writer, redis=redis, celery=celery, events=events, jobs=jobs, observer=observer, metrics=metrics
    )
    reconciler = Reconciler(
        jobs=jobs, work=work, observer=observer, actor=actor, api=api, metrics=metrics, limits=limits,
        concurrency=settings.concurrency,
    )  # fmt: skip
    relist = Relist(api, jobs, work, settings.namespaces)
    health = HealthServer(reconciler, metrics.registry)

    background: list[asyncio.Task[None]] = []
    stop_flag = asyncio.Event()

    async def stop() -> None:
        """End our own tasks before kopf looks for any that were left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                await reconciler.drain()
                await events.drain()
        pending = {task for task in background if not task.done()}
        while pending:
            for task in pending:
                task.cancel()  # again and again: redis-py's timeouts swallow one that comes as a reply does
            _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)

    registry = make_registry(jobs=jobs, work=work, api=api, metrics=metrics, stop=stop)
    port = await health.start(settings.http_host, settings.http_port)
    log.info("the operator starts; API server %s, Redis %s, probes on port %d", api.server, redis.address, port)
    try:
        await relist.first()
        for name, each in (
            ("reconcile", reconciler.run()),
            ("listen", ProgressListener(redis, jobs, work, observer).run()),
            ("publish events", events.run()),
            ("relist", relist.run(settings.relist_interval_s)),
        ):
            background.append(asyncio.create_task(each, name=name))
            background[-1].add_done_callback(lambda _: stop_flag.set())  # none ends but by a fault
        health.ready = True
        await kopf.operator(
            registry=registry,
            settings=make_settings(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
            stop_flag=stop_flag,
        )
        for task in background:
            if not task.cancelled():
                task.result()
    finally:
        await health.stop()
        await redis.close()
        celery.close()
        await api.close()
    log.info("the operator has stopped")


def main() -> None:
    """Read the settings from the environment and run."""
    settings = OperatorSettings()
    configure_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(run(settings))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
