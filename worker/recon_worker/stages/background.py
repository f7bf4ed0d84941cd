"""Running a computation that can't be interrupted beside the job's own thread, which goes on looking for an order to stop.

It helps only where the computation lets other threads run meanwhile; what keeps the interpreter to itself for long belongs
into a tool (`recon_worker.tools.runner`).
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from recon_worker.progress import Progress

CHECK_INTERVAL_S = 0.05
"""How often the job's thread looks for an order to stop while it waits."""

Check = Callable[[], None]
"""Called all the time by work that may have to stop; it raises where that is so."""

T = TypeVar("T")


class StopWorking(Exception):  # noqa: N818 - it is control flow, not a fault
    """Raised inside a thread when another one failed or the job must stop."""


def wait_for(work: Callable[[Check], T], progress: Progress) -> T:
    """Return `work(check)`, computed in a thread of its own. Raises what it raises, and `JobCancelled` as soon as ordered.

    After an order to stop nobody waits for the call that the work is in; its next `check` ends it. It must write no file.
    """
    left = threading.Event()

    def check() -> None:
        if left.is_set():
            raise StopWorking

    pool = ThreadPoolExecutor(1)
    future = pool.submit(work, check)
    try:
        while not future.done():
            progress.check_cancelled()
            wait({future}, CHECK_INTERVAL_S)
        return future.result()
    finally:
        left.set()
        pool.shutdown(wait=False)
