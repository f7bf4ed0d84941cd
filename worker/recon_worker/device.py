"""Which GPU there is, without touching it: CUDA is initialised by the process that computes, and by no other."""

import os
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/gpus")
"""The NVIDIA driver's own list of GPUs."""


def gpu_name(driver: Path = DRIVER) -> str:
    """Return the name of the first GPU, `cpu` where there is none or the process may not use it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1") or not driver.is_dir():
        return "cpu"
    for information in sorted(driver.glob("*/information")):
        for line in information.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "Model":
                return value.strip()
    return "cpu"


def device_of(setting: str) -> str:
    """Return `cpu` or `cuda` for the setting `DEVICE`."""
    if setting != "auto":
        return setting
    return "cpu" if gpu_name() == "cpu" else "cuda"
