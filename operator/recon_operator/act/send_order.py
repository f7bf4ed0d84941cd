"""The order in which admitted jobs are sent: passes run side by side, but a worker takes messages in the order they arrive."""

import asyncio
from contextlib import suppress
from itertools import takewhile

LONGEST_WAIT_S = 2.0
"""How long a job waits for those before it; one whose status cannot be written must not hold up the others."""


class SendOrder:
    """The line of jobs that were admitted and whose passes are not over; those of one gpuClass wait for each other."""

    def __init__(self) -> None:
        """Make an empty line."""
        self._line: dict[str, tuple[str, asyncio.Event]] = {}
        """The gpuClass of each job, by UID, and whether the job has left."""

    def join(self, uid: str, gpu_class: str) -> None:
        """Add a job at the end of the line."""
        self._line[uid] = (gpu_class, asyncio.Event())

    def leave(self, uid: str) -> None:
        """Remove a job that was sent, or that will not be sent by this pass, if it is in the line."""
        if found := self._line.pop(uid, None):
            found[1].set()

    async def wait_turn(self, uid: str) -> None:
        """Wait until every job of the gpuClass before this one has left the line, for at most `LONGEST_WAIT_S`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                for left in self._before(uid):
                    await left.wait()

    def _before(self, uid: str) -> list[asyncio.Event]:
        if uid not in self._line:
            return []
        own_class, _ = self._line[uid]
        before = takewhile(lambda other: other != uid, self._line)
        return [left for gpu_class, left in map(self._line.__getitem__, before) if gpu_class == own_class]
