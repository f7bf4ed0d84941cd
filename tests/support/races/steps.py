"""Code of a worker that runs one step at a time: in a thread of its own that stands still at every `pause`."""

import threading
from collections.abc import Callable
from typing import Any

_here = threading.local()


class Killed(BaseException):
    """Raised at a pause of a process that is cleared away; nothing that it does from then on has any effect."""


class Steps:
    """Runs a function in pieces: `advance` lets it run until it pauses again, or ends."""

    def __init__(self, work: Callable[[], object], **about: Any) -> None:
        """Prepare; `about` is what `current` tells to the code that runs here."""
        self.at, self.ended, self.about = "the beginning", False, about
        self._work = work
        self._error: BaseException | None = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._killed = False

    def advance(self) -> None:
        """Let it run to its next pause or its end. Raises what the work raises."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._go.release()
        self._back.acquire()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def pause(self, at: str) -> None:
        """Stand still, as the code that runs here."""
        if self._killed:
            raise Killed
        self.at = at
        self._back.release()
        self._go.acquire()
        if self._killed:
            raise Killed

    def clear_away(self) -> None:
        """End the thread of something that nobody will ever advance again."""
        if self._thread is not None and not self.ended:
            self._killed = True
            self._go.release()
            self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        _here.steps = self
        try:
            if not self._killed:
                self._work()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - `advance` raises it
            self._error = error
        self.ended, self.at = True, "the end"
        self._back.release()


def pause(at: str) -> None:
    """Stand still before something is done to the world; does nothing outside of `Steps`."""
    steps: Steps | None = getattr(_here, "steps", None)
    if steps is not None:
        steps.pause(at)


def current() -> dict[str, Any]:
    """Return what is known about the steps that run here."""
    return _here.steps.about if hasattr(_here, "steps") else {}
