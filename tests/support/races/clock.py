"""The time in a world: a time of day and a steady clock, which move only when told."""

from datetime import UTC, datetime, timedelta

from tests.support.races.steps import pause

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Clock:
    """A time of day that can jump, and a steady clock that cannot. Also stands in for the module `time`."""

    def __init__(self, start: datetime = START) -> None:
        self._day, self._steady = start, 10_000.0

    def now(self, _zone: object = UTC) -> datetime:
        """Return the time of day, as `datetime.now(UTC)` does."""
        return self._day

    def steady(self) -> float:
        """Return the seconds of a clock that nobody sets."""
        return self._steady

    monotonic = steady

    def sleep(self, _delay_s: float) -> None:
        """Let others go on; how much time passes is theirs to say."""
        pause("sleeps")

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self._steady += seconds
        self._day += timedelta(seconds=seconds)

    def jump(self, seconds: float) -> None:
        """Set the time of day."""
        self._day += timedelta(seconds=seconds)
