"""Ending a process of a run when it is asked to, so that what it started is stopped and its temporary files go."""

import signal
import sys
from types import FrameType


def exit_on_sigterm() -> None:
    """Make SIGTERM raise SystemExit in this process: blocks that clean up are left as after any exception."""
    signal.signal(signal.SIGTERM, _exit)


def _exit(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `timeout` may send it twice
    sys.exit(128 + signal.SIGTERM)
