"""Waiting for what must happen, with a generous bound: a test says what, never how long it takes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
GENEROUS_S = 90.0
"""Longer than anything takes on a busy machine; reaching it is a failure."""

OFTEN_S = 0.1
SELDOM_S = 0.25
SHARE_OF_WAIT = 0.05
"""A longer wait is looked at less often: looking costs time of the processes that are waited for."""


def wait_for(what: str, probe: Callable[[], T | None], *, within_s: float = GENEROUS_S, every_s: float = 0.0) -> T:
    """Return the probe's first truthy answer; fail with `what` where none comes in time.

    It is asked `every_s`; without that, less often the longer it takes.
    """
    began = time.monotonic()
    while True:
        if answer := probe():
            return answer
        waited_s = time.monotonic() - began
        if waited_s > within_s:
            raise AssertionError(f"not within {within_s:.0f} s: {what}")
        time.sleep(every_s or min(max(waited_s * SHARE_OF_WAIT, OFTEN_S), SELDOM_S))
