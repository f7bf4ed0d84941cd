"""Which of several installations on one cluster manages a job: the one that its status names.

Whoever writes a job's status first names itself in it. Each write is conditional on the version that was read, so of two at
the same time one fails, reads again and finds the other's name.
"""

from collections.abc import Collection
from dataclasses import dataclass

from recon_api.resource import ReconstructionJob


@dataclass(frozen=True)
class Installation:
    """What all replicas of one installation share; without an identity it is the only one, and every job is its own."""

    identity: str = ""
    adopts: Collection[str] = ()
    """Other installations, gone by now, whose jobs this one takes over."""

    def manages(self, job: ReconstructionJob) -> bool:
        """Say whether no other installation manages a job."""
        owner = job.status.operator
        return not self.identity or owner in ("", self.identity) or owner in self.adopts
