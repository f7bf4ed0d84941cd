"""What lies ahead of a job's computation, whoever runs it."""

from dataclasses import dataclass, field

from recon_api import reasons
from recon_api.errors import TransientError, UsageError
from tests.support.races.steps import pause

STEPS = ("place", "fuse", "export")
"""What there is to compute; each is finished at once or not at all."""


@dataclass
class Fate:
    """Strikes the first runs that come to a step."""

    kind: str = "complete"
    """`complete`, `out of memory`, `bad photos` or `hangs`."""
    at: str = STEPS[-1]
    times: int = 1
    """How many runs are struck; bad photos stay bad."""
    struck: int = field(default=0, init=False)
    lifted: bool = field(default=False, init=False)
    """Whether what hangs goes on."""

    def strike(self, step: str) -> None:
        """Let a run that has come to this step meet its fate. Raises the errors of `recon_api.errors`."""
        if step != self.at or self.kind == "complete":
            return
        if self.kind == "bad photos":
            raise UsageError(reasons.INSUFFICIENT_OVERLAP, "the photos show different things")
        if self.struck >= self.times:
            return
        self.struck += 1
        if self.kind == "out of memory":
            raise TransientError(reasons.CUDA_OUT_OF_MEMORY, "out of memory")
        while not self.lifted:
            pause("hangs")
