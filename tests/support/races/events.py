"""The events of a job's life that can meet, and which of them have met."""

from collections import Counter
from enum import StrEnum
from itertools import combinations


class Event(StrEnum):
    """What happens to a job."""

    REQUEST = "request"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"
    FINISH = "finish"
    """An attempt has computed everything, and goes on to publish and report it."""
    FAIL = "fail"
    """An attempt fails, or its process dies."""
    RETRY = "retry"
    """The operator begins an attempt after the first."""
    LOSE = "lose"
    """A worker is gone, or stands still, with an attempt."""


Pair = frozenset[Event]

PAIRS: tuple[Pair, ...] = tuple(frozenset(pair) for pair in combinations(Event, 2))
"""All pairs of different events."""


class Meetings:
    """Which events have met: one began before the operator had done all there was to do about the other."""

    def __init__(self) -> None:
        self.met: Counter[Pair] = Counter()
        self._open: set[Event] = set()

    def begin(self, event: Event) -> None:
        """Note that an event begins."""
        self.met.update({frozenset((event, other)) for other in self._open if other is not event})
        self._open.add(event)

    def is_open(self, event: Event) -> bool:
        """Say whether there is still something to do about an event."""
        return event in self._open

    def calm(self) -> None:
        """Note that all is done that there was to do."""
        self._open.clear()
