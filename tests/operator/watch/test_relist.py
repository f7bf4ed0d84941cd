"""Listing several namespaces, of which one fails: at the start, and while the operator runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from kubernetes.aio.client import ApiClient, Configuration
from prometheus_client import Counter

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.watch.liveness import WatchLiveness
from recon_operator.watch.namespaces import WatchedNamespaces
from recon_operator.watch.relist import Relist
from tests.operator.builders import make_job

NAMESPACES = ("shop", "lab")
NEVER = 1e6


class Site:
    """An API server that answers about each namespace with a status of its own, and what lists from it."""

    def __init__(self) -> None:
        """Answer with a job of each namespace."""
        self.statuses = dict.fromkeys(NAMESPACES, 200)
        self.watch_status, self.watches = 200, list[str]()
        self.jobs = Jobs()
        self.watched = WatchedNamespaces(NAMESPACES, WatchLiveness(NAMESPACES), lambda _name, _why: None)

    async def kinds(self, _request: web.Request) -> web.Response:
        return web.json_response({"resources": [{"name": PLURAL}]})

    async def list(self, request: web.Request) -> web.Response:
        namespace = request.match_info["namespace"]
        if "watch" in request.query:
            self.watches.append(namespace)
            return web.json_response({"message": "no"}, status=self.watch_status)
        job = make_job(uid=namespace, namespace=namespace).model_dump(mode="json", by_alias=True, exclude_none=True)
        found = {"items": [job], "metadata": {"resourceVersion": "9"}, "message": "no"}
        return web.json_response(found, status=self.statuses[namespace])

    @asynccontextmanager
    async def relist(self) -> AsyncIterator[Relist]:
        """Serve while the block runs."""
        application, base = web.Application(), f"/apis/{GROUP}/{VERSION}"
        application.add_routes(
            [web.get(base, self.kinds), web.get(f"{base}/namespaces/{{namespace}}/{PLURAL}", self.list)]
        )
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        configuration = Configuration(host=f"http://127.0.0.1:{runner.addresses[0][1]}")
        api = KubernetesApi(ApiClient(configuration), Fence.always_open())
        missed = Counter("missed", "", registry=None)
        yield Relist(api, self.jobs, WorkQueue(), NAMESPACES, missed=missed, watched=self.watched)
        await api.close()
        await runner.cleanup()

    @property
    def known(self) -> set[str]:
        return {job.metadata.namespace for job in self.jobs}


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(403, id="it may not be read"),
        pytest.param(404, id="it does not exist"),
        pytest.param(500, id="the API server fails over it"),
        pytest.param(504, id="the API server does not answer in time"),
    ],
)
async def test_at_the_start_a_namespace_that_fails_keeps_no_other_one_waiting(status: int) -> None:
    site = Site()
    site.statuses["lab"] = status
    async with site.relist() as relist:
        await relist.first()
        assert (site.known, site.watched.missing) == ({"shop"}, frozenset({"lab"}))
        site.statuses["lab"] = 200
        running = asyncio.create_task(relist.run(NEVER))
        while site.watched.missing:
            await site.watched.changed()
        assert site.known == {"shop", "lab"}
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_missing_namespace_that_can_be_listed_and_not_watched_stays_missing() -> None:
    site = Site()
    site.watch_status = 403
    site.statuses["lab"] = 403
    async with site.relist() as relist:
        await relist.first()
        site.statuses["lab"] = 200
        for _ in range(2):
            await relist.list_all()
        assert (site.known, site.watched.missing, site.watches) == ({"shop"}, frozenset({"lab"}), ["lab", "lab"])
        site.watch_status = 200
        await relist.list_all()
        assert (site.known, site.watched.missing) == ({"shop", "lab"}, frozenset())


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        pytest.param(403, {"lab"}, id="a right that is taken away is missed"),
        pytest.param(500, set(), id="a failure is left to the watch, which may live"),
    ],
)
async def test_later_a_namespace_that_fails_is_one_alone(status: int, missing: set[str]) -> None:
    site = Site()
    async with site.relist() as relist:
        await relist.first()
        site.statuses["lab"] = status
        await relist.list_all()
        assert site.watched.missing == missing
        assert site.known == {"lab", "shop"}, "what is known of it stays"
