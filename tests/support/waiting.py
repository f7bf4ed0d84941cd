"""Waiting for what must happen, with a generous bound: a test says what, never how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
GENEROUS_S = 90.0
"""Longer than anything takes on a busy machine; reaching it is a failure."""


def wait_for(what: str, probe: Callable[[], T | None], *, within_s: float = GENEROUS_S, every_s: float = 0.1) -> T:
    """Return the probe's first truthy answer; fail with `what` where none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        if answer := probe():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        time.sleep(every_s)
