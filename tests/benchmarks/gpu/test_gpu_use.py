"""What nvidia-smi prints, and sampling it while something runs."""

import os
import time
from pathlib import Path

import pytest

from benchmarks.gpu.gpu_use import Gpu, GpuUse, Sample, describe_gpu, parse_samples, sampled, summary


@pytest.mark.parametrize(
    ("printed", "samples"),
    [
        pytest.param("0, 3\n37, 1234\n", [Sample(0.0, 3.0), Sample(0.37, 1234.0)], id="percent and MiB"),
        pytest.param("[N/A], 1234\n", [Sample(None, 1234.0)], id="a slice of a GPU says no load"),
        pytest.param("12, [Insufficient Permissions]\n", [Sample(0.12, None)], id="no memory"),
        pytest.param("[N/A], [N/A]\n", [], id="neither"),
        pytest.param("50, 10\n99", [Sample(0.5, 10.0)], id="a line that was cut off"),
        pytest.param("Unable to determine the device handle\n", [], id="a message"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_samples_are_read(printed: str, samples: list[Sample]) -> None:
    assert parse_samples(printed) == samples


def test_samples_come_to_means_and_peaks() -> None:
    samples = [Sample(0.0, 500.0), Sample(0.5, 2500.0), Sample(1.0, 1500.0), Sample(0.0, 1500.0)]
    assert summary(samples) == GpuUse(
        samples=4, busy_share=0.375, in_use_share=0.5, peak_memory_mib=2500, memory_before_mib=500
    )


def test_what_the_driver_does_not_say_is_not_made_up() -> None:
    assert summary([]) is None
    assert summary([Sample(None, 10.0), Sample(None, 20.0)]) == GpuUse(
        samples=2, busy_share=None, in_use_share=None, peak_memory_mib=20, memory_before_mib=10
    )
    assert summary([Sample(0.25, None)]) == GpuUse(
        samples=1, busy_share=0.25, in_use_share=1, peak_memory_mib=None, memory_before_mib=None
    )


SMI = """#!/bin/sh
case "$*" in
*name*) echo 'NVIDIA H200, 580.159.04, 143771' ;;
*loop-ms=200*)
  echo '0, 100'
  echo '80, 900'
  echo $$ > {pid}.draft && mv {pid}.draft {pid}
  while :; do sleep 0.05; done ;;
esac
"""


@pytest.fixture
def smi_pid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which a program in the place of nvidia-smi writes its process id."""
    program, pid = tmp_path / "bin" / "nvidia-smi", tmp_path / "pid"
    program.parent.mkdir()
    program.write_text(SMI.format(pid=pid))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return pid


def wait_for(file: Path) -> None:
    until = time.monotonic() + 20
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.01)


def test_the_gpu_is_sampled_during_a_block_and_no_longer(smi_pid: Path) -> None:
    with sampled() as samples:
        wait_for(smi_pid)
    assert samples == [Sample(0.0, 100.0), Sample(0.8, 900.0)]
    with pytest.raises(ProcessLookupError):
        os.kill(int(smi_pid.read_text()), 0)


def test_the_sampling_is_stopped_by_an_error_too(smi_pid: Path) -> None:
    def fail() -> None:
        with sampled():
            wait_for(smi_pid)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    with pytest.raises(ProcessLookupError):
        os.kill(int(smi_pid.read_text()), 0)


@pytest.mark.usefixtures("smi_pid")
def test_the_gpu_is_named() -> None:
    assert describe_gpu() == Gpu(name="NVIDIA H200", driver="580.159.04", memory_mib=143771)


def test_without_nvidia_smi_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert describe_gpu() is None
    with sampled() as samples:
        pass
    assert samples == []
