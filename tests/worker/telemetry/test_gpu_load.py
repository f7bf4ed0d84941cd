"""The load of GPUs, from NVIDIA's library."""

import pynvml
import pytest

from recon_worker.telemetry.gpu_load import gpu_loads


def test_what_is_asked_of_the_gpus_library_is_there() -> None:
    for name in (
        "Init",
        "DeviceGetCount",
        "DeviceGetHandleByIndex",
        "DeviceGetMemoryInfo",
        "DeviceGetUUID",
        "DeviceGetUtilizationRates",
    ):
        assert callable(getattr(pynvml, f"nvml{name}"))
    assert issubclass(pynvml.NVMLError, Exception)


@pytest.mark.gpu
def test_the_load_of_a_gpu() -> None:
    loads = gpu_loads()
    if not loads:
        pytest.skip("no GPU")
    for load in loads:
        assert load.gpu.startswith(("GPU-", "MIG-"))
        assert 0 < load.used_bytes <= load.total_bytes
        assert load.busy is None or 0.0 <= load.busy <= 1.0
