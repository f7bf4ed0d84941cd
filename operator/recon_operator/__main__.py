"""`python -m recon_operator`: run the operator until SIGTERM or Ctrl-C, or let all jobs go (`release-jobs`)."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import kopf
from kopf._cogs.structs.references import Insights

from recon_operator.assembly import Components, assemble
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.election_setup import election_of, fence_of
from recon_operator.leader.election import LeaseLostError
from recon_operator.release_jobs import release_jobs
from recon_operator.settings import OperatorSettings
from recon_operator.telemetry.logs import configure_logs
from recon_operator.watch.kopf_handlers import make_registry, make_settings, watch_present
from recon_runtime.last_exit import end_within

log = logging.getLogger("recon_operator")

DRAIN_S = 0.5
"""How long passes that are under way may take when the operator stops; what they leave undone the next leader does.

Short, because a standby waits: it takes over within 2 s of the signal.
"""

HAND_OVER_WITHIN_S = 5.0
"""How long a message that is being sent may hold up the release of the lease."""

END_WITHIN_S = 20.0
"""How long all of stopping may take, whatever does not answer: less than the 30 s after which the kubelet kills."""

CANCEL_AGAIN_S = 0.5

DEEPEST_CALLS = 50_000
"""How many calls may lie within each other: the API server takes objects of 10,000 levels, each of which costs kopf several calls,
and an object that cannot be decoded or copied would end the watch of all the others."""

LOST_LEASE_EXIT_CODE = 3
"""Of an operator that another may have taken over from: the kubelet starts it again, and it stands by."""


async def run(settings: OperatorSettings) -> None:
    """Put the operator together and run it until a signal stops it. Raises LeaseLostError."""
    with _cancelled_by_sigterm():
        fence = fence_of(settings)
        api = await KubernetesApi.connect(fence, watches=max(len(settings.namespaces), 1))
        components = assemble(settings, api, fence, election_of(settings, api, fence))
        port = await components.health.start(settings.http_host, settings.http_port)
        log.info(
            "the operator starts; API server %s, Redis %s, probes on port %d",
            api.server,
            components.redis.address,
            port,
        )
        try:
            await components.election.lead(lambda: _work(components, settings))
        finally:
            end_within(END_WITHIN_S)
            await components.hand_over(HAND_OVER_WITHIN_S)
            await components.close()
    log.info("the operator has stopped")


@contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """Have SIGTERM cancel what this task does, until kopf runs, which then takes the signal itself."""
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with suppress(asyncio.CancelledError):
        yield


async def _work(components: Components, settings: OperatorSettings) -> None:
    """Take over all jobs, then look after them until a signal comes."""
    await components.relist.first()
    await _watch(components, settings)


async def _watch(components: Components, settings: OperatorSettings) -> None:
    """Run kopf beside our own tasks until a signal comes or one of them fails."""
    stop_flag, insights = asyncio.Event(), Insights()
    tasks = components.tasks(settings.relist_interval_s)
    if settings.namespaces:
        tasks["watch present namespaces"] = watch_present(insights, components.namespaces)
    background = [asyncio.create_task(task, name=name) for name, task in tasks.items()]
    for task in background:
        task.add_done_callback(lambda _: stop_flag.set())  # none ends but by a fault
    components.health.ready = True

    async def stop() -> None:
        """End our own tasks before kopf looks for any that were left, and let a standby take over meanwhile."""
        end_within(END_WITHIN_S)
        await components.drain(DRAIN_S)
        await cancel(background)
        await components.hand_over(HAND_OVER_WITHIN_S)

    try:
        await kopf.operator(
            registry=make_registry(
                jobs=components.jobs,
                work=components.work,
                watch=components.watch,
                namespaces=components.namespaces,
                gone=components.cleanup.logs.seen_to_go,
                stop=stop,
            ),
            settings=make_settings(),
            standalone=True,
            clusterwide=not settings.namespaces,
            namespaces=components.namespaces.present or settings.namespaces,
            insights=insights,
            stop_flag=stop_flag,
        )
    finally:
        await cancel(background)
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
    """Read the settings from the environment and run, or do what the command line names instead."""
    arguments = _parser().parse_args()
    sys.setrecursionlimit(DEEPEST_CALLS)
    settings = OperatorSettings()
    for variable in ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"):
        # Celery would believe them more than what it is told: that it needs no results, and where TLS is checked.
        os.environ.pop(variable, None)
    configure_logs(settings.log_level, settings.log_format, traced=bool(settings.otel_exporter_otlp_endpoint))
    work = release_jobs(settings, discard=arguments.discard) if arguments.command == "release-jobs" else run(settings)
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        sys.exit(130)
    except LeaseLostError:
        sys.exit(LOST_LEASE_EXIT_CODE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reconstruction-operator",
        description="Looks after ReconstructionJobs until SIGTERM. Settings come from the environment.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    release = commands.add_parser(
        "release-jobs",
        help="before the operator is uninstalled: stop what runs, and take the finalizer off every job",
        description="Stops what runs, takes the finalizer off every job, and keeps operators from beginning again for a "
        "minute. The jobs stay; another operator goes on with them.",
    )
    release.add_argument("--discard", action="store_true", help="also delete what they have finished, for they go too")
    return parser


if __name__ == "__main__":
    main()
