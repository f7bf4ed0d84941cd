"""The calls that the operator makes to the API server, and what can go wrong with them.

Everything else of Kubernetes' client stays behind this file.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_operator.clients.fence import Fence, NotLeadingError
from recon_operator.clients.identity import FIELD_MANAGER, user_agent

Json = dict[str, Any]

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
LIST_CHUNK = 500
CONNECTIONS = 64
"""Open connections at most, beside those of the watches."""

WATCH_S = 120
"""How long one watch lasts; the next goes on where it ended. A connection that died unnoticed is given up soon after."""

WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=WATCH_S + 15)
LEASE_TIMEOUT = aiohttp.ClientTimeout(total=5)
"""Half of the renew deadline, so that one request that hangs does not cost the lease."""

LEASES = "/apis/coordination.k8s.io/v1"
MERGE_PATCH = "application/merge-patch+json"

OWNING = frozenset({"PATCH", "POST", "PUT"})
"""The methods by which whoever asks comes to own fields."""

DEFAULT_RETRY_AFTER_S = 1.0
OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class KubernetesError(Exception):
    """The API server refused a request, or did not answer."""

    retry_after_s = 0.0


class GoneError(KubernetesError):
    """The object does not exist: nothing is left to do about it."""


class ConflictError(KubernetesError):
    """The object has changed meanwhile: look at it again."""


class ExpiredError(KubernetesError):
    """The API server no longer knows what happened since that version: list again."""


class AnsweredError(KubernetesError):
    """The API server has answered that it does not do what was asked: the same request may be refused for ever."""


class ThrottledError(AnsweredError):
    """The API server asks to wait."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RefusedError(AnsweredError):
    """The request is not allowed or not valid: trying the same again does not help soon."""


class TerminatingError(RefusedError):
    """The namespace is being deleted: nothing new is created in it."""


class UnavailableError(KubernetesError):
    """The API server cannot be reached: try again."""


class ServerFailedError(UnavailableError, AnsweredError):
    """The API server has answered with a failure of its own or of its store, such as for an object that is too large."""


@dataclass(frozen=True)
class WatchEvent:
    """What a watch tells of."""

    type: str
    """ADDED, MODIFIED, DELETED, or BOOKMARK: only the version has changed."""
    object: Json
    resource_version: str
    """From which a later watch can go on."""


class KubernetesApi:
    """The API server: our one kind, by lists, watches, merge patches and deletions; events; and leases.

    Whatever it writes passes a fence first, but for leases, which are what the fence depends on.
    """

    def __init__(self, client: ApiClient, fence: Fence, component: str = "") -> None:
        """Use this client of the official library, which has asked nothing yet; `close` closes it.

        `component` is who asks, where that is not the operator itself.
        """
        self._client, self._fence = client, fence
        client.user_agent = user_agent(component)
        client.configuration.trace_configs = [_fenced(fence)]

    @classmethod
    async def connect(cls, fence: Fence, watches: int = 1, component: str = "") -> "KubernetesApi":
        """Return the API of the cluster that the process runs in, or else of its kubeconfig, for so many watches."""
        configuration = Configuration()
        configuration.connection_pool_maxsize = CONNECTIONS + watches
        if os.environ.get("KUBERNETES_SERVICE_HOST") and not os.environ.get("KUBECONFIG"):
            config.load_incluster_config(configuration)
        else:
            await config.load_kube_config(client_configuration=configuration, persist_config=False)
        return cls(ApiClient(configuration), fence, component)

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self._client.configuration.host)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def is_kind_served(self) -> bool:
        """Say whether the API server knows our kind. Raises KubernetesError."""
        try:
            found = await self._call("GET", f"/apis/{GROUP}/{VERSION}")
        except GoneError:
            return False
        return any(resource["name"] == PLURAL for resource in found.get("resources", ()))

    async def list_jobs(self, namespace: str | None, selector: str = "") -> AsyncIterator[tuple[list[Json], str]]:
        """Yield all jobs, of a namespace or of all, in chunks, each with the list's resourceVersion."""
        token = ""
        while True:
            query = {"limit": str(LIST_CHUNK), "continue": token, "labelSelector": selector}
            found = await self._call("GET", _jobs_path(namespace), query={k: v for k, v in query.items() if v})
            yield found["items"], found["metadata"]["resourceVersion"]
            token = found["metadata"].get("continue", "")
            if not token:
                return

    async def watch_jobs(
        self, namespace: str | None, selector: str, resource_version: str
    ) -> AsyncIterator[WatchEvent]:
        """Yield what happens after this version to jobs of a namespace or of all, for about two minutes.

        Raises KubernetesError, ExpiredError where the jobs must be listed again.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "labelSelector": selector,
            "resourceVersion": resource_version,
            "timeoutSeconds": str(WATCH_S),
        }
        async with self._request("GET", _jobs_path(namespace), query=query, timeout=WATCH_TIMEOUT) as response:
            async for line in response.content:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _error(event["object"].get("code", 500), json.dumps(event["object"]).encode(), None)
                yield WatchEvent(event["type"], event["object"], event["object"]["metadata"]["resourceVersion"])

    async def try_watch(self, namespace: str | None, selector: str, resource_version: str) -> None:
        """Open a watch, and close it at once. Raises KubernetesError where it may not be opened."""
        query = {"watch": "1", "labelSelector": selector, "resourceVersion": resource_version, "timeoutSeconds": "1"}
        async with self._request("GET", _jobs_path(namespace), query=query):
            return

    async def get_job(self, namespace: str, name: str) -> Json:
        """Return one job. Raises KubernetesError."""
        return await self._call("GET", f"{_jobs_path(namespace)}/{name}")

    async def patch_job(self, namespace: str, name: str, patch: Json) -> Json:
        """Merge into a job's metadata or spec; return the job. Raises KubernetesError."""
        return await self._call("PATCH", f"{_jobs_path(namespace)}/{name}", body=patch)

    async def patch_status(self, namespace: str, name: str, patch: Json) -> Json:
        """Merge into a job's status; return the job. Raises KubernetesError."""
        return await self._call("PATCH", f"{_jobs_path(namespace)}/{name}/status", body=patch)

    async def delete_job(self, namespace: str, name: str, *, uid: str, resource_version: str) -> None:
        """Delete this version of a job. Raises ConflictError where it is not the job's latest, KubernetesError."""
        options = {"preconditions": {"uid": uid, "resourceVersion": resource_version}}
        await self._call("DELETE", f"{_jobs_path(namespace)}/{name}", body=options)

    async def get_secret_data(self, namespace: str, name: str) -> dict[str, str]:
        """Return the values of a Secret, in base64. Raises KubernetesError."""
        found = await self._call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        return dict(found.get("data") or {})

    async def create_event(self, namespace: str, event: Json) -> None:
        """Create an event of events.k8s.io/v1. Raises KubernetesError."""
        await self._call("POST", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", body=event)

    async def get_lease(self, namespace: str, name: str) -> Json:
        """Return a lease. Raises KubernetesError."""
        return await self._call("GET", f"{_leases_path(namespace)}/{name}", timeout=LEASE_TIMEOUT)

    async def create_lease(self, namespace: str, lease: Json) -> Json:
        """Create a lease. Raises KubernetesError, ConflictError where it exists."""
        return await self._call("POST", _leases_path(namespace), body=lease, timeout=LEASE_TIMEOUT)

    async def update_lease(self, namespace: str, name: str, lease: Json) -> Json:
        """Replace this version of a lease. Raises KubernetesError, ConflictError where it has changed since."""
        return await self._call("PUT", f"{_leases_path(namespace)}/{name}", body=lease, timeout=LEASE_TIMEOUT)

    async def pod_annotations(self, namespace: str, selector: str, annotation: str) -> dict[str, str | None]:
        """Return this annotation of each Pod that a label selector names, by the Pod's name. Raises KubernetesError."""
        found = await self._call("GET", _pods_path(namespace), query={"labelSelector": selector})
        pods = [pod["metadata"] for pod in found["items"]]
        return {pod["name"]: (pod.get("annotations") or {}).get(annotation) for pod in pods}

    async def annotate_pod(self, namespace: str, name: str, annotations: dict[str, str | None]) -> None:
        """Set annotations of a Pod, or take away those that are None. Raises KubernetesError."""
        await self._call("PATCH", f"{_pods_path(namespace)}/{name}", body={"metadata": {"annotations": annotations}})

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109 - as `_request`
    ) -> Json:
        async with self._request(method, path, body=body, query=query, timeout=timeout) as response:
            found: Json = json.loads(await response.read())
            return found

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = REQUEST_TIMEOUT,  # noqa: ASYNC109 - each request has its own, of four kinds
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make a request whose answer is read within; raise KubernetesError where it is refused or breaks off."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = MERGE_PATCH if method == "PATCH" else "application/json"
        if method in OWNING:
            query = {**(query or {}), "fieldManager": FIELD_MANAGER}
        request = await self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            if not _may_pass(method, path):
                self._fence.check()
            answer = await self._client.call_api(*request, _request_timeout=timeout)
            async with answer.response as response:
                if response.status >= 400:
                    raise _error(response.status, await response.read(), response.headers.get("Retry-After"))
                yield response
        except NotLeadingError as error:
            raise UnavailableError(str(error)) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnavailableError(f"{self.server} does not answer: {error or type(error).__name__}") from error


async def job_exists(api: KubernetesApi, namespace: str, name: str, uid: str) -> bool:
    """Say whether the job of that UID is there, and not another one of its name. Raises KubernetesError."""
    try:
        found = await api.get_job(namespace, name)
    except GoneError:
        return False
    return bool(found["metadata"]["uid"] == uid)


def own_namespace() -> str:
    """Return the namespace of the Pod that the process runs in, `default` outside of any."""
    return OWN_NAMESPACE.read_text().strip() if OWN_NAMESPACE.exists() else "default"


def _jobs_path(namespace: str | None) -> str:
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/apis/{GROUP}/{VERSION}{scope}/{PLURAL}"


def _pods_path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _leases_path(namespace: str) -> str:
    return f"{LEASES}/namespaces/{namespace}/leases"


def _may_pass(method: str, path: str) -> bool:
    """Say whether a request passes a closed fence."""
    return method == "GET" or path.startswith(f"{LEASES}/")


def _fenced(fence: Fence) -> aiohttp.TraceConfig:
    """Ask the fence again when a request has its connection: it may have waited for it, or been stopped there."""

    async def started(_: Any, request: SimpleNamespace, what: aiohttp.TraceRequestStartParams) -> None:
        request.may_pass = _may_pass(what.method, what.url.path)

    async def connected(_: Any, request: SimpleNamespace, __: Any) -> None:
        if not request.may_pass:
            fence.check()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(started)
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace


def _error(status: int, body: bytes, retry_after: str | None) -> KubernetesError:
    message = f"{status}: {_message(body)}"
    wait_s = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
    match status:
        case 404:
            return GoneError(message)
        case 409:
            return ConflictError(message)
        case 410:
            return ExpiredError(message)
        case 429:
            return ThrottledError(message, wait_s or DEFAULT_RETRY_AFTER_S)
        case _ if status >= 500:
            return ThrottledError(message, wait_s) if wait_s else ServerFailedError(message)
        case _:
            return TerminatingError(message) if b'"NamespaceTerminating"' in body else RefusedError(message)


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:300].decode(errors="replace")
