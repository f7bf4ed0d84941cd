"""How much of the GPUs is in use, from NVIDIA's management library: it needs no CUDA, so it disturbs no job."""

import logging
from dataclasses import dataclass
from functools import cache
from typing import Any

from recon_worker.device import gpu_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class GpuLoad:
    """One GPU at one moment."""

    gpu: str
    """UUID, as the driver names it."""
    used_bytes: int
    total_bytes: int
    busy: float | None
    """Share of the last sample period (up to 1 s) in which something ran on it, 0 to 1; a slice of a GPU (MIG) tells none."""


def gpu_loads() -> list[GpuLoad]:
    """Return the load of each GPU that this container sees; none where there is none, or the driver does not tell."""
    library = _library()
    if library is None:
        return []
    try:
        handles = [library.nvmlDeviceGetHandleByIndex(i) for i in range(library.nvmlDeviceGetCount())]
        return [_load(library, handle) for handle in handles]
    except library.NVMLError as error:
        logger.debug("the GPU's load is not known: %s", error)
        return []


def _load(library: Any, handle: Any) -> GpuLoad:
    memory = library.nvmlDeviceGetMemoryInfo(handle)
    uuid = library.nvmlDeviceGetUUID(handle)
    return GpuLoad(
        gpu=uuid.decode() if isinstance(uuid, bytes) else str(uuid),
        used_bytes=int(memory.used),
        total_bytes=int(memory.total),
        busy=_busy(library, handle),
    )


def _busy(library: Any, handle: Any) -> float | None:
    try:
        return float(library.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    except library.NVMLError:
        return None


@cache
def _library() -> Any:
    """Return the library, ready; None without a GPU. It is not asked for again: a container's GPUs do not change."""
    if gpu_name() == "cpu":
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        logger.warning("memory and load of the GPU are not measured: %s", error)
        return None
    return pynvml
