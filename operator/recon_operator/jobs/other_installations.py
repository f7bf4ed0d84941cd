"""The unfinished jobs that other installations manage: counted, and reported once each."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from recon_api.resource import ReconstructionJob

log = logging.getLogger(__name__)

Report = Callable[[ReconstructionJob], None]
"""Reports a job of another installation, the first time that it is seen."""


@dataclass(frozen=True)
class OtherJob:
    """What is kept of a job that is left alone."""

    namespace: str
    owner: str


class OtherInstallations:
    """The jobs of others that can be seen here."""

    def __init__(self, report: Report | None = None) -> None:
        """Know of none; `report` is called with each job when it is first seen."""
        self._report, self._jobs = report, dict[str, OtherJob]()
        self._named: set[str] = set()

    def __iter__(self) -> Iterator[tuple[str, OtherJob]]:
        return iter(list(self._jobs.items()))

    def jobs_by_owner(self) -> Counter[str]:
        """Return how many unfinished jobs each of them manages."""
        return Counter(job.owner for job in self._jobs.values())

    def record(self, job: ReconstructionJob) -> None:
        """Record a job of another installation as it is now."""
        if job.status.phase.finished:
            self.forget(job.uid)
            return
        owner, known = job.status.operator, self._jobs.get(job.uid)
        if owner not in self._named:
            self._named.add(owner)
            log.warning("the operator %s works here too: its jobs are left alone, the first one is %s", owner, job.key)
        self._jobs[job.uid] = OtherJob(job.metadata.namespace, owner)
        if self._report and (known is None or known.owner != owner):
            self._report(job)

    def forget(self, uid: str) -> None:
        """Forget a job that is gone, finished, or this installation's own by now."""
        self._jobs.pop(uid, None)
