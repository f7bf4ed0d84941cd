"""Kubernetes Events: one for each transition, published in the background, given up rather than waited for."""

import asyncio
import hashlib
import itertools
import logging
import socket
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from recon_api.resource import API_VERSION, GROUP, KIND, ReconstructionJob
from recon_operator.clients.kubernetes_api import (
    ConflictError,
    GoneError,
    KubernetesApi,
    KubernetesError,
    TerminatingError,
)
from recon_operator.decide.decision import Event
from recon_operator.telemetry.logs import job_logger

log = logging.getLogger(__name__)

LONGEST_QUEUE = 10_000
LONGEST_NOTE = 1024
"""The API's own limit, which it counts in bytes."""

_published = itertools.count()


class EventPublisher:
    """A queue of events and the task that empties it."""

    def __init__(self, api: KubernetesApi) -> None:
        """Publish by `api` once `run` runs."""
        self._api = api
        self._queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(LONGEST_QUEUE)

    def publish(self, job: ReconstructionJob, event: Event) -> None:
        """Have an event published; where too many wait already it is dropped."""
        self._put(job, event, event_body(job, event, datetime.now(UTC)))

    def publish_once(self, job: ReconstructionJob, event: Event) -> None:
        """Publish an event under a name of its own: while the API server keeps it, publishing it again makes no second one."""
        body = event_body(job, event, datetime.now(UTC))
        body["metadata"]["name"] = _own_name(job, event)
        self._put(job, event, body)

    def publish_about_lease(self, namespace: str, name: str, event: Event) -> None:
        """Publish an event about the installation itself, for which its lease stands."""
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "namespace": namespace, "name": name}
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait((namespace, _body(lease, event, datetime.now(UTC))))

    def _put(self, job: ReconstructionJob, event: Event, body: dict[str, Any]) -> None:
        try:
            self._queue.put_nowait((job.metadata.namespace, body))
        except asyncio.QueueFull:
            dropped = "too many events wait to be published; %s is dropped"
            job_logger(__name__, job).warning(dropped, event.reason.name)

    async def run(self) -> None:
        """Publish events until cancelled."""
        while True:
            namespace, body = await self._queue.get()
            try:
                await self._api.create_event(namespace, body)
            except ConflictError:
                log.debug("event %s of %s is there already", body["reason"], body["regarding"]["name"])
            except (TerminatingError, GoneError):
                log.debug("event %s is not published: namespace %s is being deleted", body["reason"], namespace)
            except KubernetesError as error:
                log.warning("event %s of %s is not published: %s", body["reason"], body["regarding"]["name"], error)
            finally:
                self._queue.task_done()

    async def drain(self) -> None:
        """Wait until every event so far is published or given up."""
        await self._queue.join()


def event_body(job: ReconstructionJob, event: Event, at: datetime) -> dict[str, Any]:
    """Return an event of events.k8s.io/v1 about a job."""
    metadata = job.metadata
    regarding = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "namespace": metadata.namespace,
        "name": metadata.name,
        "uid": job.uid,
        "resourceVersion": metadata.resource_version,
    }
    return _body(regarding, event, at)


def _body(regarding: dict[str, str], event: Event, at: datetime) -> dict[str, Any]:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{regarding['name'][:200]}.{_in_order(at)}",
            "namespace": regarding["namespace"],
        },
        "eventTime": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "type": "Warning" if event.warning else "Normal",
        "reason": event.reason.name,
        "note": shortened(event.message),
        "action": "Reconcile",
        "regarding": regarding,
        "reportingController": f"{GROUP}/operator",
        "reportingInstance": socket.gethostname(),
    }


def _own_name(job: ReconstructionJob, event: Event) -> str:
    content = f"{job.uid} {event.reason.name} {event.message}".encode()
    return f"{job.metadata.name[:200]}.{hashlib.sha256(content).hexdigest()[:16]}"


def _in_order(at: datetime) -> str:
    """Return what makes an event's name unique, and puts the names in the order in which the events happened.

    `kubectl describe` lists events by name where, as in this API, they have no last timestamp.
    """
    return f"{int(at.timestamp() * 1e6):014x}{next(_published) % 0x10000:04x}"


def shortened(message: str) -> str:
    """Return a message that is not too long for an event: its beginning."""
    text = message.encode()
    return (
        message if len(text) <= LONGEST_NOTE else text[: LONGEST_NOTE - len("…".encode())].decode(errors="ignore") + "…"
    )
