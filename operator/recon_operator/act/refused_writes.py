"""Writes about a job that the API server refuses: said in an Event, in a metric and by the readiness probe.

The status cannot say it. An Event is an object of its own, which a policy, a missing right or the size of the job need not
concern.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from recon_api.reasons import STATUS_NOT_WRITTEN
from recon_api.resource import ReconstructionJob
from recon_operator.act.events import EventPublisher
from recon_operator.clients.kubernetes_api import AnsweredError, ConflictError, GoneError, KubernetesError
from recon_operator.decide.decision import Event

TOLERATED = 2
"""Refusals in a row of which nothing is said: an API server that starts, or a policy that is being changed, mends itself."""

EVENT_INTERVAL_S = 600.0
"""Between two Events about the same job, of which a cluster keeps each for an hour."""

UNREADY_AFTER_S = 60.0
"""An operator whose writes have all been refused for so long is not ready."""

UNREADY_JOBS, UNREADY_NAMESPACES = 2, 2
"""Of how many jobs, and in how many namespaces, writes must be refused for that: one object that is too large, or a policy in
one tenant's namespace, is no fault of the operator's. An operator of one namespace has no second one."""


@dataclass
class _Refusals:
    """What is known of a job whose latest write was refused."""

    namespace: str
    count: int = 0
    published_at: float | None = None

    @property
    def is_said(self) -> bool:
        return self.count > TOLERATED


class RefusedWrites:
    """The jobs whose latest write was refused."""

    def __init__(
        self, events: EventPublisher, clock: Callable[[], float] = time.monotonic, *, namespaces: int = 0
    ) -> None:
        """Publish by `events`; `clock` gives seconds; `namespaces` is how many are watched, 0 for all of the cluster."""
        self._events, self._clock = events, clock
        self._enough_namespaces = min(namespaces or UNREADY_NAMESPACES, UNREADY_NAMESPACES)
        self._refusals: dict[str, _Refusals] = {}
        self._all_refused_since: float | None = None

    def __len__(self) -> int:
        return sum(each.is_said for each in self._refusals.values())

    @contextmanager
    def recorded(self, job: ReconstructionJob) -> Iterator[None]:
        """Record what becomes of the write of a job within the block. Raises what the block raises."""
        try:
            yield
        except (GoneError, ConflictError):
            self.forget(job.uid)  # it was not refused
            raise
        except AnsweredError as error:
            self._refused(job, error)
            raise
        else:
            self._all_refused_since = None
            self.forget(job.uid)

    def forget(self, uid: str) -> None:
        """Drop what is known of a job that was written, or is gone."""
        self._refusals.pop(uid, None)
        if not self._refusals:
            self._all_refused_since = None

    def unready_for_s(self) -> float:
        """Return for how many seconds every write has been refused, where that is long enough to say; else 0."""
        since, namespaces = self._all_refused_since, {each.namespace for each in self._refusals.values()}
        if since is None or len(self) < UNREADY_JOBS or len(namespaces) < self._enough_namespaces:
            return 0.0
        refused_s = self._clock() - since
        return refused_s if refused_s > UNREADY_AFTER_S else 0.0

    def _refused(self, job: ReconstructionJob, error: KubernetesError) -> None:
        now = self._clock()
        if self._all_refused_since is None:
            self._all_refused_since = now
        found = self._refusals.setdefault(job.uid, _Refusals(job.metadata.namespace))
        found.count += 1
        if found.is_said and (found.published_at is None or now - found.published_at >= EVENT_INTERVAL_S):
            found.published_at = now
            message = f"The API server refuses what the operator writes about the job, which is tried again: {error}"
            self._events.publish(job, Event(STATUS_NOT_WRITTEN, message, warning=True))
