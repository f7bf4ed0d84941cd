"""How long each job waits after passes that failed: its back-off, which holds whatever wakes the job."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from recon_api.resource import ReconstructionJob

FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 30.0
DOUBLINGS = 10
"""After which the longest wait has been reached."""


@dataclass(frozen=True)
class _Backoff:
    failures: int
    until: float
    generation: int
    holds: bool


class Backoffs:
    """The back-offs of jobs by UID.

    One that holds ends early only for a change of the spec, which may be what mends the failure. All others end with
    whatever wakes the job: Redis that answers again, for instance, wakes all jobs that waited for it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know of no failure; `clock` gives seconds."""
        self._clock = clock
        self._backoffs: dict[str, _Backoff] = {}

    def failed(self, job: ReconstructionJob, *, retry_after_s: float = 0.0, holds: bool) -> float:
        """Record one more failure in a row; return the seconds until the next pass, no fewer than `retry_after_s`."""
        before = self._backoffs.get(job.uid)
        failures = before.failures + 1 if before else 1
        delay_s = max(min(math.ldexp(FIRST_RETRY_S, min(failures - 1, DOUBLINGS)), LONGEST_RETRY_S), retry_after_s)
        self._backoffs[job.uid] = _Backoff(failures, self._clock() + delay_s, job.metadata.generation, holds)
        return delay_s

    def hold_s(self, job: ReconstructionJob) -> float:
        """Return for how many seconds this version of a job must not be looked at; 0 where it may be."""
        backoff = self._backoffs.get(job.uid)
        if backoff is None or not backoff.holds or backoff.generation != job.metadata.generation:
            return 0.0
        return max(backoff.until - self._clock(), 0.0)

    def forget(self, uid: str) -> None:
        """Drop the failures of a job: its pass succeeded, or it is gone."""
        self._backoffs.pop(uid, None)
