"""The resources of one namespace on a real API server."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi
from tests.support.control_plane import ControlPlane
from tests.support.races.store import Json


class ApiServerStore:
    """The same as `MemoryStore`, where it is real."""

    def __init__(self, api: KubernetesApi, namespace: str) -> None:
        self._api, self.namespace = api, namespace
        self._path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}"

    async def create(self, manifest: Json) -> Json:
        """Create a job; return it."""
        return await self._api._call("POST", self._path, body=manifest)

    async def get(self, name: str) -> Json:
        """Return a job."""
        return await self._api.get_job(self.namespace, name)

    async def list(self) -> tuple[list[Json], str]:
        """Return all jobs, and the version at which they were listed."""
        found = await self._api._call("GET", self._path)
        return found["items"], found["metadata"]["resourceVersion"]

    async def patch(self, name: str, patch: Json, *, status: bool) -> Json:
        """Merge into the status, or else into everything but the status; return the job."""
        call = self._api.patch_status if status else self._api.patch_job
        return await call(self.namespace, name, patch)

    async def delete(self, name: str) -> Json | None:
        """Ask for a job to be deleted; return what is left of it until its finalizers are gone."""
        answer = await self._api._call("DELETE", f"{self._path}/{name}")
        return answer if "metadata" in answer and "deletionTimestamp" in answer["metadata"] else None


@contextmanager
def connected(control_plane: ControlPlane, loop: asyncio.AbstractEventLoop) -> Iterator[KubernetesApi]:
    """Connect to an API server, for use in this loop."""
    configuration = Configuration()
    loop.run_until_complete(
        config.load_kube_config(str(control_plane.kubeconfig), client_configuration=configuration, persist_config=False)
    )
    api = loop.run_until_complete(_connect(configuration))
    try:
        yield api
    finally:
        loop.run_until_complete(api.close())


async def make_namespace(api: KubernetesApi) -> str:
    """Make a namespace of a new name."""
    name = f"races-{uuid.uuid4().hex[:10]}"
    await api._call("POST", "/api/v1/namespaces", body={"metadata": {"name": name}})
    return name


async def _connect(configuration: Configuration) -> KubernetesApi:
    return KubernetesApi(ApiClient(configuration), Fence.always_open())
