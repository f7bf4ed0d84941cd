"""Which jobs are to be looked at, and when: each at most once at a time, however often it is named."""

import asyncio
import heapq
import time
from collections.abc import Callable
from contextlib import suppress


class WorkQueue:
    """UIDs with the time at which each is due. One that is being worked on is not handed out again until it is done."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make an empty queue; `clock` gives seconds."""
        self._clock = clock
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._working: set[str] = set()
        self._changed = asyncio.Event()
        self._poked = False

    def __len__(self) -> int:
        return len(self._due)

    def add(self, uid: str) -> None:
        """Have a job looked at now, or as soon as the present look at it is done."""
        self.add_at(uid, self._clock())

    def add_in(self, uid: str, delay_s: float) -> None:
        """Have a job looked at after so long."""
        self.add_at(uid, self._clock() + delay_s)

    def add_at(self, uid: str, when: float) -> None:
        """Have a job looked at at this time of the clock; of several times the earliest counts."""
        if self._due.get(uid, float("inf")) <= when:
            return
        self._due[uid] = when
        heapq.heappush(self._heap, (when, uid))
        self._changed.set()

    def poke(self) -> None:
        """Let `take` return at once, even with nothing: something other than a job has changed."""
        self._poked = True
        self._changed.set()

    async def take(self, limit: int, timeout_s: float) -> list[str]:
        """Wait for due jobs and return up to `limit` of them, the longest due first; none after `timeout_s`.

        Each must be given back with `done`.
        """
        until = self._clock() + timeout_s
        while True:
            taken = self.take_due(limit)
            poked, self._poked = self._poked, False
            if taken or poked or self._clock() >= until:
                return taken
            next_due = self._heap[0][0] if self._heap else until
            self._changed.clear()
            with suppress(TimeoutError):  # asyncio.wait_for can swallow a cancellation (Python 3.11)
                async with asyncio.timeout(max(min(next_due, until) - self._clock(), 0.0)):
                    await self._changed.wait()

    def take_due(self, limit: int) -> list[str]:
        """Return up to `limit` jobs that are due now, without waiting."""
        now = self._clock()
        taken: list[str] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < limit:
            when, uid = heapq.heappop(self._heap)
            if self._due.get(uid) != when or uid in self._working:
                continue  # named again with an earlier time, or put back by `done`
            del self._due[uid]
            self._working.add(uid)
            taken.append(uid)
        return taken

    def done(self, uid: str) -> None:
        """Give back a job that was taken; it is handed out again if it was named meanwhile."""
        self._working.discard(uid)
        if uid in self._due:
            heapq.heappush(self._heap, (self._due[uid], uid))
            self._changed.set()

    def forget(self, uid: str) -> None:
        """Drop a job that is gone."""
        self._due.pop(uid, None)
