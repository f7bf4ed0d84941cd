"""The last way out of a process that was asked to end, and waits for something that never answers."""

import logging
import os
import threading
from collections.abc import Callable

UNFINISHED_EXIT_CODE = 4
"""Of a process that could not end in order within its time."""

SAID_WITHIN_S = 1.0

logger = logging.getLogger(__name__)


def end_within(limit_s: float, before: Callable[[], None] = lambda: None) -> None:
    """End this process in so long, whatever its other threads wait for, unless it has ended by then.

    `before` is called first; it must not wait for anything.
    """
    threading.Thread(target=_end, args=(limit_s, before), name="last-exit", daemon=True).start()


def _end(limit_s: float, before: Callable[[], None]) -> None:
    threading.Event().wait(limit_s)
    saying = threading.Thread(target=_say, args=(limit_s,), daemon=True)  # a log that nobody reads may block
    saying.start()
    saying.join(SAID_WITHIN_S)
    try:
        before()
    finally:
        os._exit(UNFINISHED_EXIT_CODE)


def _say(limit_s: float) -> None:
    logger.error(
        "the process has not ended within %.0f s of being asked to; it ends now, with what it left open", limit_s
    )
