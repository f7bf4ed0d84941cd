"""The order in which admitted jobs are sent: passes run side by side, but a worker takes messages in the order they arrive."""

import asyncio
from contextlib import suppress

LONGEST_WAIT_S = 2.0
"""How long a job waits for those before it; one whose status cannot be written must not hold up the others."""


class SendOrder:
    """A line for each gpuClass, of the jobs that were admitted and whose passes are not over."""

    def __init__(self) -> None:
        """Make empty lines."""
        self._lines: dict[str, dict[str, asyncio.Event]] = {}

    def join(self, uid: str, gpu_class: str) -> None:
        """Add a job at the end of its line."""
        self._lines.setdefault(gpu_class, {})[uid] = asyncio.Event()

    def leave(self, uid: str) -> None:
        """Remove a job that was sent, or that will not be sent by this pass, from its line if it is in one."""
        for line in self._lines.values():
            if left := line.pop(uid, None):
                left.set()

    async def wait_turn(self, uid: str) -> None:
        """Wait until every job before this one has left the line, for at most `LONGEST_WAIT_S`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                for left in self._before(uid):
                    await left.wait()

    def _before(self, uid: str) -> list[asyncio.Event]:
        for line in self._lines.values():
            if uid in line:
                uids = list(line)
                return [line[other] for other in uids[: uids.index(uid)]]
        return []
