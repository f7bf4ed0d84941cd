"""Doing the same to many views: one thread for each core, or one for a GPU."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import torch

from recon_worker.progress import Progress
from recon_worker.stages.background import CHECK_INTERVAL_S, Check, StopWorking


def device_in_use() -> torch.device:
    """Return the device to compute on: the GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_name(device: torch.device) -> str:
    """Return what a report calls the device: the GPU's name, or `cpu`."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def for_each(
    numbers: Sequence[int], work: Callable[[int, Check], None], device: torch.device, progress: Progress
) -> None:
    """Call `work(number, check)` for every number, and tick the progress as they finish.

    On a CPU one thread for each core takes a number at a time and torch uses no threads of its own in them: kernels of
    one view are too small to share, and so the result does not depend on the number of cores. `work` calls `check` all
    the time; it raises as soon as the work must stop. The first exception of any thread is raised here, and a
    cancellation as soon as any thread sees it; the threads have ended by then.
    """
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise StopWorking
        progress.check_cancelled()

    def run(number: int) -> None:
        check()
        with torch.inference_mode():
            work(number, check)

    with ThreadPoolExecutor(_thread_count(device), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        pending = {pool.submit(run, number) for number in numbers}
        try:
            while pending:
                done, pending = wait(pending, CHECK_INTERVAL_S, FIRST_COMPLETED)
                for finished in done:
                    finished.result()
                progress.tick(1 - len(pending) / len(numbers))
        finally:
            stop.set()
            for waiting in pending:
                waiting.cancel()


def _thread_count(device: torch.device) -> int:
    return 1 if device.type == "cuda" else max(1, len(os.sched_getaffinity(0)))
