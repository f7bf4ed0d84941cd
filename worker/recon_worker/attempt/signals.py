"""The signals that a child handles while it runs an attempt."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from recon_api import reasons
from recon_worker.attempt.lease import Lease
from recon_worker.attempt.stop_order import StopOrder

SHUTDOWN_SIGNAL = signal.SIGUSR2
"""Sent by the main process to its child when the worker shuts down."""

REVOKE_SIGNAL = signal.SIGUSR1
"""Sent by Celery when the operator revokes the task."""


@contextmanager
def handled_signals(stop: StopOrder, lease: Lease) -> Iterator[None]:
    """Leave the step when the worker shuts down; look at the flags when the operator revokes the task.

    Celery's own handler of the latter would raise an exception in the middle of anything, a clean-up too. So it does not come back
    after the attempt either: a signal that arrives as the attempt ends would end the idle child.
    """
    signal.signal(REVOKE_SIGNAL, lambda *_: lease.request_beat())
    signal.signal(SHUTDOWN_SIGNAL, lambda *_: stop.give(reasons.WORKER_STOPPED, "the worker was asked to shut down"))
    try:
        yield
    finally:
        signal.signal(REVOKE_SIGNAL, signal.SIG_IGN)
        signal.signal(SHUTDOWN_SIGNAL, signal.SIG_IGN)
