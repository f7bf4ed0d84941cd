"""`python -m recon_operator`: run the operator until SIGTERM or Ctrl-C."""

import asyncio
import logging
import sys

import kopf

from recon_operator.handlers import make_registry, make_settings
from recon_operator.kubernetes_api import KubernetesApi
from recon_operator.logs import configure_logs
from recon_operator.parts import Parts, assemble
from recon_operator.settings import OperatorSettings

log = logging.getLogger("recon_operator")

DRAIN_S = 5.0
"""How long passes that are under way may take when the operator stops; what they leave undone the next start does."""

CANCEL_AGAIN_S = 0.5


async def run(settings: OperatorSettings) -> None:
    """Put the operator together and run it until a signal stops it."""
    parts = assemble(settings, await KubernetesApi.connect(watches=max(len(settings.namespaces), 1)))
    port = await parts.health.start(settings.http_host, settings.http_port)
    log.info(
        "the operator starts; API server %s, Redis %s, probes on port %d", parts.api.server, parts.redis.address, port
    )
    try:
        await parts.relist.first()
        await _watch(parts, settings)
    finally:
        await parts.close()
    log.info("the operator has stopped")


async def _watch(parts: Parts, settings: OperatorSettings) -> None:
    """Run kopf beside our own tasks until a signal comes or one of them fails."""
    stop_flag = asyncio.Event()
    background = [
        asyncio.create_task(task, name=name) for name, task in parts.tasks(settings.relist_interval_s).items()
    ]
    for task in background:
        task.add_done_callback(lambda _: stop_flag.set())  # none ends but by a fault
    parts.health.ready = True

    async def stop() -> None:
        """End our own tasks before kopf looks for any that were left."""
        await parts.drain(DRAIN_S)
        await cancel(background)

    await kopf.operator(
        registry=make_registry(jobs=parts.jobs, work=parts.work, watch=parts.watch, stop=stop),
        settings=make_settings(),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        stop_flag=stop_flag,
    )
    for task in background:
        if not task.cancelled():
            task.result()


async def cancel(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: redis-py's timeouts swallow a cancellation that comes as a reply does."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def main() -> None:
    """Read the settings from the environment and run."""
    settings = OperatorSettings()
    configure_logs(settings.log_level, settings.log_format, traced=bool(settings.otel_exporter_otlp_endpoint))
    try:
        asyncio.run(run(settings))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
