"""Code of the operator that runs one step at a time: it stands still at a gate before everything that it does."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


class Verdict(Enum):
    """What becomes of a call."""

    DONE = "done"
    REFUSED = "refused"
    """It is not done, and fails."""
    LOST = "lost"
    """It is done, and its answer is lost."""


@dataclass
class Parked:
    """A call that waits for its verdict."""

    label: str
    verdict: "asyncio.Future[Verdict]"


class Gates:
    """The tasks of one operator, and the gates at which they stand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.parked: list[Parked] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._error: BaseException | None = None

    async def through(self, label: str, call: Callable[[], Awaitable[T]], failure: Callable[[str], Exception]) -> T:
        """Wait for the verdict on a call, and do what it says; `failure` makes the error where it fails."""
        verdict = await self.stand(label)
        if verdict is Verdict.REFUSED:
            raise failure(f"{label} fails")
        answer = await call()
        if verdict is Verdict.LOST:
            raise failure(f"the answer to {label} is lost")
        return answer

    async def stand(self, label: str) -> Verdict:
        """Stand still until told to go on."""
        parked = Parked(label, self._loop.create_future())
        self.parked.append(parked)
        self._changed.set()
        try:
            return await parked.verdict
        finally:
            if parked in self.parked:
                self.parked.remove(parked)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task and let it run to its first gate."""
        self.note(self._loop.create_task(work))
        self._loop.run_until_complete(self._all_stand())

    def note(self, task: "asyncio.Task[Any]") -> None:
        """Take in a task that the operator has started."""
        if task not in self.tasks:
            self.tasks.add(task)
            task.add_done_callback(self._gone)

    def advance(self, place: int, verdict: Verdict = Verdict.DONE) -> None:
        """Give one of those that stand its verdict, and let it run to its next gate."""
        parked = self.parked.pop(place)
        parked.verdict.set_result(verdict)
        self._loop.run_until_complete(self._all_stand())

    def end(self) -> None:
        """End all tasks where they stand."""
        ending = list(self.tasks)
        for task in ending:
            task.cancel()
        if ending:
            self._loop.run_until_complete(asyncio.wait(ending))
        self.parked.clear()

    def _gone(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        self._changed.set()
        if not task.cancelled():
            self._error = self._error or task.exception()

    async def _all_stand(self) -> None:
        while len(self.parked) < len(self.tasks):
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None:
            raise self._error
