"""What has happened to one job, as nobody in the world but the test knows it."""

from dataclasses import dataclass, field

from recon_api.status import Phase
from tests.support.races.fates import Fate
from tests.support.races.workers import Process


@dataclass(frozen=True)
class End:
    """How a job ended."""

    phase: Phase
    confirmed: bool
    """Whether its cancellation was confirmed in the version on which that was decided."""
    told: bool
    """Whether the operator was told that the job is completed. That word can be lost: with Redis, or with a worker."""


@dataclass
class Story:
    """The facts about one job."""

    uid: str
    name: str
    fate: Fate
    backoff_limit: int
    processes: list[Process] = field(default_factory=list)
    """All that ever began to compute it."""
    steps: set[str] = field(default_factory=set)
    """Its finished steps."""
    published_by: list[int] = field(default_factory=list)
    """Attempts whose results have appeared."""
    attempts: int = 0
    """The highest number that the operator has given out."""
    is_open: bool = False
    """Whether its latest attempt has begun and not ended, by the status."""
    crashes: int = 0
    """How often its process was killed, or its worker lost."""
    end: End | None = None
    deleted: bool = False
    gone: bool = False
    forced: bool = False
    """Whether it was let go without Redis: whatever runs of it was not stopped."""
    told: bool = False
    """Whether the operator was told of its open attempt that it is completed, when it read that last."""
    meddled: bool = False
    """Whether somebody else has written its status."""

    @property
    def published(self) -> bool:
        """Whether its result has appeared."""
        return bool(self.published_by)
