"""kopf's part: watching, logging in, stopping on a signal. Nothing is decided and nothing is patched here."""

from collections.abc import Awaitable, Callable
from typing import Any

import kopf

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_operator.jobs import Jobs
from recon_operator.metrics import Metrics
from recon_operator.reading import read_job
from recon_operator.relist import UNFINISHED
from recon_operator.work_queue import WorkQueue


def make_registry(
    *, jobs: Jobs, work: WorkQueue, metrics: Metrics, stop: Callable[[], Awaitable[None]]
) -> kopf.OperatorRegistry:
    """Return kopf's handlers: they feed `jobs` and `work`, and await `stop` when the operator stops."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def note(event: kopf.RawEvent, **_: Any) -> None:
        metrics.note_event()
        shown = read_job(dict(event["object"]))
        if event["type"] == "DELETED":
            jobs.remove(shown.job.uid, shown.job.metadata.resource_version)
            work.add(shown.job.uid)
        elif jobs.apply(shown):
            work.add(shown.job.uid)

    @kopf.on.cleanup(registry=registry)
    async def finish(**_: Any) -> None:
        await stop()

    return registry


def make_settings() -> kopf.OperatorSettings:
    """Return kopf's settings: a plain watch that stores nothing in our objects."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False  # we publish our own events
    settings.peering.standalone = True
    settings.scanning.disabled = True  # no right to list namespaces and CRDs is needed
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    settings.watching.label_selectors[GROUP, PLURAL] = UNFINISHED
    settings.queueing.worker_limit = None  # a limit throttles to limit / idle_timeout objects a second
    settings.queueing.idle_timeout = 1.0
    settings.persistence.consistency_timeout = 0.0  # kopf writes nothing that it could wait for
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    return settings
