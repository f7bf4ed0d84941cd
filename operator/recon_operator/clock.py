"""The time of day, and noticing that it was set: by hand, by a time server, or while a virtual machine was paused."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

SMALLEST_JUMP_S = 2.0
"""What counts as a jump. Clocks that are slewed drift by less than 1 ms between two looks, and times are kept in seconds."""


def utc_now() -> datetime:
    """Return the time of day."""
    return datetime.now(UTC)


class WallClock:
    """The time of day, which can jump, beside a steady clock, which cannot."""

    def __init__(self, now: Callable[[], datetime] = utc_now, steady: Callable[[], float] = time.monotonic) -> None:
        """Read `now` (UTC) and `steady` (seconds)."""
        self.now = now
        self.steady = steady
        self._offset = self._measure()

    def jump_s(self) -> float:
        """Return by how much the time of day has jumped since the last call (backwards: below 0), 0 where it has not."""
        before, after = self._offset, self._measure()
        jumped_s = after - before
        if abs(jumped_s) < SMALLEST_JUMP_S:
            return 0.0  # and the offset stays: many small steps add up
        self._offset = after
        return jumped_s

    def _measure(self) -> float:
        return self.now().timestamp() - self.steady()
