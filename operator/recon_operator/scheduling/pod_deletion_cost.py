"""Marking the Pods of busy workers, so that scaling down takes idle ones.

A ReplicaSet that must shrink takes the Pods first whose deletion costs least. A worker knows no Kubernetes and cannot say what
its own costs, so the operator does: it knows who runs what.
"""

import asyncio
import logging
import time
from contextlib import suppress

from recon_operator.clients.kubernetes_api import GoneError, KubernetesApi, KubernetesError
from recon_operator.jobs.cache import Jobs

log = logging.getLogger(__name__)

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
BUSY = "1000"
"""What the Pod of a busy worker costs; any other costs 0, as Kubernetes takes it."""

LOOK_EVERY_S = 0.5
"""How soon a worker is marked that has taken a job; to look costs nothing, for the jobs are known here."""
COMPARE_EVERY_S = 30.0
"""How soon marks are set right that somebody else has changed, or that an earlier leader has left."""
RETRY_S = 5.0


class PodDeletionCosts:
    """Keeps the marks of the workers' Pods true."""

    def __init__(self, api: KubernetesApi, jobs: Jobs, namespace: str, selector: str) -> None:
        """Mark the Pods that `selector` names in `namespace`, by what `jobs` occupy; none where there is no namespace."""
        self._api, self._jobs, self._namespace, self._selector = api, jobs, namespace, selector
        self._costs: dict[str, str | None] = {}
        """What each Pod costs, as far as we know."""

    async def run(self) -> None:
        """Mark again and again until cancelled."""
        if not self._namespace:
            await asyncio.Event().wait()
        compare_at = 0.0
        while True:
            try:
                if time.monotonic() >= compare_at:
                    self._costs = await self._api.pod_annotations(self._namespace, self._selector, DELETION_COST)
                    compare_at = time.monotonic() + COMPARE_EVERY_S
                await self._mark()
            except KubernetesError as error:
                log.warning("the busy workers cannot be marked: %s", error)
                compare_at = 0.0
                await asyncio.sleep(RETRY_S)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _mark(self) -> None:
        """Set right what is marked otherwise. Raises KubernetesError."""
        # A worker's name is its Pod's.
        busy = {job.status.attempts[-1].worker for job in self._jobs.occupying() if job.status.attempts} - {""}
        for pod in busy | set(self._costs):
            cost = BUSY if pod in busy else None
            if self._costs.get(pod) != cost:
                self._costs[pod] = cost
                with suppress(GoneError):  # the worker's Pod has gone meanwhile, or it runs elsewhere
                    await self._api.annotate_pod(self._namespace, pod, {DELETION_COST: cost})
