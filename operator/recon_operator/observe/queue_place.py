"""What the plan of the queue says of one job."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class QueuePlace:
    """Where one job stands among those that wait for a worker."""

    admitted: bool = False
    """Whether a worker will be free for it: it may be sent now."""
    position: int | None = None
    """Its place among those that wait, 1 being next."""
    starts_at: datetime | None = None
    """When a worker is likely to take it, where that can be said."""
