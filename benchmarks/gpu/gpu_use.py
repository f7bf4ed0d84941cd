"""Which GPU there is, and how busy it is while something runs: what nvidia-smi prints."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from pydantic import BaseModel

SAMPLE_INTERVAL_MS = 200

STOP_TIMEOUT_S = 5

_FORMAT = ("--id=0", "--format=csv,noheader,nounits")


class Gpu(BaseModel):
    """The first GPU."""

    name: str
    driver: str
    memory_mib: float


class GpuUse(BaseModel):
    """What the samples of a GPU come to."""

    samples: int
    busy_share: float | None
    """Mean, 0 to 1, of the share of time in which anything ran on it; None where the driver does not say."""
    in_use_share: float | None
    """Share of the samples, 0 to 1, in which it was busy at all."""
    peak_memory_mib: float | None
    """In use, by whatever process."""
    memory_before_mib: float | None
    """In use in the first sample."""


@dataclass(frozen=True)
class Sample:
    """The GPU at one moment; None is what the driver does not say."""

    busy: float | None
    """Share, 0 to 1, of the driver's last sample period (up to 1 s)."""
    memory_mib: float | None


def describe_gpu() -> Gpu | None:
    """Return the GPU; None where there is no nvidia-smi, or it sees none."""
    try:
        command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", *_FORMAT]
        printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        name, driver, memory = (word.strip() for word in printed.splitlines()[0].rsplit(",", 2))
        return Gpu(name=name, driver=driver, memory_mib=float(memory))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


@contextmanager
def sampled() -> Iterator[list[Sample]]:
    """Yield a list that holds the samples of the block once it has ended; none without nvidia-smi."""
    samples: list[Sample] = []
    with tempfile.TemporaryFile("w+") as printed:
        process = _start(printed)
        try:
            yield samples
        finally:
            if process:
                _stop(process)
                printed.seek(0)
                samples += parse_samples(printed.read())


def parse_samples(printed: str) -> list[Sample]:
    """Return a sample for each line `utilization.gpu, memory.used` in percent and MiB; other lines are left out."""
    lines = (line.split(",") for line in printed.splitlines())
    samples = [Sample(_number(words[0], 100), _number(words[1], 1)) for words in lines if len(words) == 2]
    return [sample for sample in samples if sample != Sample(None, None)]


def summary(samples: Sequence[Sample]) -> GpuUse | None:
    """Return what the samples come to; None where there are none."""
    if not samples:
        return None
    busy = [sample.busy for sample in samples if sample.busy is not None]
    memory_mib = [sample.memory_mib for sample in samples if sample.memory_mib is not None]
    return GpuUse(
        samples=len(samples),
        busy_share=round(sum(busy) / len(busy), 4) if busy else None,
        in_use_share=round(sum(share > 0 for share in busy) / len(busy), 4) if busy else None,
        peak_memory_mib=max(memory_mib, default=None),
        memory_before_mib=memory_mib[0] if memory_mib else None,
    )


def _start(printed: IO[str]) -> subprocess.Popen[bytes] | None:
    # Line by line: what a buffer holds is lost when the program is stopped.
    command = ["stdbuf", "-oL", "nvidia-smi", "--query-gpu=utilization.gpu,memory.used", *_FORMAT]
    try:
        return subprocess.Popen(
            [*command, f"--loop-ms={SAMPLE_INTERVAL_MS}"], stdout=printed, stderr=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _number(word: str, unit: float) -> float | None:
    """Return a word's number divided by `unit`; None for `[N/A]` and the like."""
    try:
        return float(word) / unit
    except ValueError:
        return None
