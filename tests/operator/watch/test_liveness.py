"""The age of a watch: what is a sign of life, and when it is dead."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from recon_operator.watch.liveness import DEAD_AFTER_S, WATCH_S, WatchLiveness
from tests.support.clocks import SettableClock


def begun(clock: SettableClock, namespaces: Sequence[str] = ()) -> WatchLiveness:
    watch = WatchLiveness(namespaces, clock)
    watch.begin()
    clock.now += 100.0
    return watch


@pytest.mark.parametrize(
    ("namespaces", "heard", "age_s"),
    [
        pytest.param((), [], 100.0, id="silence since it began counts"),
        pytest.param((), ["shop"], 0.0, id="an event of any namespace is a sign of the watch of all"),
        pytest.param(("shop", "lab"), ["shop"], 100.0, id="of several watches the most silent counts"),
        pytest.param(("shop", "lab"), ["shop", "lab"], 0.0, id="and none is silent where each was heard"),
        pytest.param(("shop",), ["other"], 100.0, id="what nobody watches is no sign"),
    ],
)
def test_the_age(namespaces: Sequence[str], heard: list[str], age_s: float) -> None:
    watch = begun(SettableClock(), namespaces)
    for namespace in heard:
        watch.heard(namespace)
    assert watch.age_s() == age_s


def test_no_age_without_a_watch() -> None:
    clock = SettableClock()
    watch = begun(clock)
    watch.end()
    clock.now += 10 * DEAD_AFTER_S
    watch.heard("shop")
    assert (watch.age_s(), watch.dead()) == (0.0, False)


def test_a_watch_that_is_opened_on_time_is_never_dead_and_one_that_is_not_is() -> None:
    clock = SettableClock()
    watch = begun(clock)
    for _ in range(50):
        clock.now += WATCH_S
        assert not watch.dead()
        watch.heard("")
    clock.now += DEAD_AFTER_S + 1
    assert watch.dead()


@asynccontextmanager
async def api_server(status: int) -> AsyncIterator[str]:
    """Serve every watch with that status and no event."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    application = web.Application()
    application.add_routes([web.get("/{path:.*}", answer)])
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "status", "age_s"),
    [
        pytest.param(
            "/namespaces/shop/jobs?watch=true", 200, 0.0, id="a watch that is opened is alive, though nothing happens"
        ),
        pytest.param("/namespaces/shop/jobs?watch=true", 403, 100.0, id="one that is refused is not"),
        pytest.param("/namespaces/shop/jobs?limit=500", 200, 100.0, id="a list is no watch"),
    ],
)
async def test_opening_a_watch(path: str, status: int, age_s: float) -> None:
    watch = begun(SettableClock(), ["shop"])
    async with (
        api_server(status) as server,
        aiohttp.ClientSession(trace_configs=[watch.trace()]) as session,
        session.get(server + path),
    ):
        assert watch.age_s() == age_s
