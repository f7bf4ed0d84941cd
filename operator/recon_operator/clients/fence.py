"""Whether this process may write: asked at the last moment before a request leaves, so that a late one never does."""

import math
import time
from collections.abc import Callable


class NotLeadingError(Exception):
    """This operator does not lead, or no longer: it must write nothing."""

    def __init__(self) -> None:
        super().__init__("this operator does not lead, so it writes nothing")


def steady_s() -> float:
    """Return the seconds of a clock that nobody sets, and that goes on while the process or the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Fence:
    """Lets writes pass until a deadline, which whoever holds the lease moves on with each renewal.

    A process that was stopped and goes on finds the deadline passed before it knows of anything else.
    """

    def __init__(self, until: float = -math.inf, clock: Callable[[], float] = steady_s) -> None:
        """Be closed, unless `until` says otherwise (seconds of `clock`)."""
        self._until, self._clock = until, clock

    @classmethod
    def always_open(cls) -> "Fence":
        """Return the fence of an operator that is the only one."""
        return cls(until=math.inf)

    def open_until(self, deadline: float) -> None:
        """Let writes pass until then (seconds of the clock)."""
        self._until = deadline

    def close(self) -> None:
        """Let nothing pass any more."""
        self._until = -math.inf

    def left_s(self) -> float:
        """Return for how long writes still pass, 0 if they do not."""
        return max(self._until - self._clock(), 0.0)

    def check(self) -> None:
        """Raise NotLeadingError unless a write may leave now."""
        if self._clock() >= self._until:
            raise NotLeadingError
