"""kopf's part: watching, logging in, stopping on a signal. Nothing is decided and nothing is patched here."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import kopf
from kopf._cogs.structs.references import Insights, NamespaceName

from recon_api.resource import GROUP, PLURAL, VERSION, ReconstructionJob
from recon_operator.clients.identity import user_agent
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.watch.liveness import WATCH_S, WatchLiveness
from recon_operator.watch.namespaces import WatchedNamespaces
from recon_operator.watch.relist import UNFINISHED


def make_registry(
    *,
    jobs: Jobs,
    work: WorkQueue,
    watch: WatchLiveness,
    namespaces: WatchedNamespaces,
    gone: Callable[[ReconstructionJob], None],
    stop: Callable[[], Awaitable[None]],
) -> kopf.OperatorRegistry:
    """Return kopf's handlers: they feed `jobs`, `work`, `watch`, `namespaces` and `gone`, and await `stop` when the operator stops.

    `gone` is called with each job that the watch no longer shows.
    """
    registry = kopf.OperatorRegistry()
    sessions = _Sessions(watch, namespaces)

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
        found = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        return sessions.session(found) if found else None

    @kopf.on.startup(registry=registry)
    async def begin(**_: Any) -> None:
        watch.begin()

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def record(event: kopf.RawEvent, **_: Any) -> None:
        shown = read_job(dict(event["object"]))
        watch.heard(shown.job.metadata.namespace)
        if event["type"] == "DELETED":
            jobs.remove(shown.job.uid, shown.job.metadata.resource_version, shown.job)
            work.add(shown.job.uid)
            gone(shown.job)
        elif jobs.apply(shown):
            work.add(shown.job.uid)

    @kopf.on.cleanup(registry=registry)
    async def finish(**_: Any) -> None:
        watch.end()
        await stop()

    return registry


def make_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: a plain watch that stores nothing in our objects."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # we publish our own events
    settings.peering.standalone = True
    settings.scanning.disabled = True  # no right to list namespaces and CRDs is needed
    settings.watching.server_timeout = WATCH_S
    settings.watching.client_timeout = WATCH_S + 10
    settings.watching.inactivity_timeout = 70.0  # the API server sends a bookmark each minute
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.watching.label_selectors[GROUP, PLURAL] = UNFINISHED
    settings.queueing.worker_limit = None  # a limit throttles to limit / idle_timeout objects a second
    settings.queueing.idle_timeout = 1.0
    settings.persistence.consistency_timeout = 0.0  # kopf writes nothing that it could wait for
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    return settings


async def watch_present(insights: Insights, namespaces: WatchedNamespaces) -> None:
    """Have kopf watch the namespaces that can be read, and no others, until cancelled.

    kopf ends with the watch of any one of them that is refused for about a minute.
    """
    await insights.ready_namespaces.wait()
    while True:
        async with insights.revised:
            insights.namespaces.clear()
            insights.namespaces.update(map(NamespaceName, namespaces.present))
            insights.revised.notify_all()
        await namespaces.changed()


class _Sessions:
    """kopf's connections to the API server, which tell `watch` of the watches that are opened."""

    def __init__(self, watch: WatchLiveness, namespaces: WatchedNamespaces) -> None:
        self._watch, self._namespaces = watch, namespaces
        self._latest: tuple[kopf.ConnectionInfo, kopf.AiohttpSession] | None = None

    def session(self, found: kopf.ConnectionInfo) -> kopf.AiohttpSession:
        """Return a session with these credentials; the same one for the same, by which kopf knows refused ones again."""
        if self._latest is None or self._latest[0] != found:
            self._latest = found, self._open(found)
        return self._latest[1]

    def _open(self, found: kopf.ConnectionInfo) -> kopf.AiohttpSession:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=found.as_ssl_context()),
            headers={**found.as_http_headers(), "User-Agent": user_agent()},
            proxy=found.proxy_url,
            trust_env=found.trust_env,
            trace_configs=[self._watch.trace(self._namespaces.answered)],
        )
        return kopf.AiohttpSession(
            server=found.server, default_namespace=found.default_namespace, aiohttp_session=session
        )
