"""Clocks that a test sets."""

from datetime import timedelta

from recon_operator.clock import WallClock
from tests.operator.builders import NOW


class Clocks:
    """A time of day and a steady clock, both of which the test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.steady_s = 100.0
        self.wall = WallClock(lambda: self.now, lambda: self.steady_s)

    def pass_s(self, seconds: float, *, jump_s: float = 0.0) -> None:
        """Let time pass, and set the time of day on top."""
        self.steady_s += seconds
        self.now += timedelta(seconds=seconds + jump_s)
