"""What one reconstruction takes, and how good it is: `python -m benchmarks.gpu.timings PHOTO_SET --on gpu|cpu`.

The photos are reconstructed by `python -m recon_worker reconstruct` in a process of its own; on the CPU where
`CUDA_VISIBLE_DEVICES` is empty. The times of the stages are those of the result's report.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.evaluate import reconstruct
from benchmarks.gpu.gpu_use import sampled, summary
from benchmarks.gpu.photo_sets import PHOTO_SETS, folder_of
from benchmarks.gpu.results import Findings, StageTime, Timing
from benchmarks.gpu.stopping import exit_on_sigterm
from recon_dev.ground_truth.evaluation import evaluate
from recon_dev.ground_truth.photos import PHOTOS_FOLDER
from recon_dev.ground_truth.scenes.protocol import load_protocol
from recon_dev.photos import photos_in
from recon_worker.files.manifest import REPORT

CPU = "cpu"


class ReportedStage(BaseModel):
    """One stage of a result's report."""

    model_config = ConfigDict(extra="ignore")

    name: str
    seconds: float
    cpu_seconds: float
    device: str | None = None
    """Of the stage that estimates depth."""


class Report(BaseModel):
    """What is read of a result's report."""

    model_config = ConfigDict(extra="ignore")

    stages: tuple[ReportedStage, ...]

    @property
    def device(self) -> str:
        """Where the depth maps were computed. Raises ValueError where the report does not say."""
        named = [stage.device for stage in self.stages if stage.device]
        if not named:
            raise ValueError("no stage of the report names its device")
        return named[0]

    def times(self) -> tuple[StageTime, ...]:
        """Return how long each stage took."""
        return tuple(StageTime(name=stage.name, wall_s=stage.seconds, cpu_s=stage.cpu_seconds) for stage in self.stages)


def main() -> int:
    """Run the command line; return the exit code."""
    options = _arguments()
    exit_on_sigterm()
    try:
        for timing in measure(options.photo_set, options.quality):
            print("\n".join(lines(timing)), flush=True)
            if options.out:
                Findings(timing=timing).save(options.out)
            check_device(timing, options.on)
    except (ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def measure(name: str, quality: str) -> Iterator[Timing]:
    """Yield what the reconstruction of a photo set took, and then the same with its evaluation.

    Raises CalledProcessError where it fails, ValueError where its report or its surface cannot be read.
    """
    photo_set = folder_of(name)
    photos = photo_set / PHOTOS_FOLDER
    with tempfile.TemporaryDirectory(prefix="recon-gpu-") as scratch:
        result = Path(scratch) / "result"
        with sampled() as samples:
            cost = reconstruct(photos, result, quality)
        report = Report.model_validate_json((result / REPORT).read_bytes())
        timing = Timing(
            photo_set=name,
            photos=len(photos_in(photos)),
            quality=quality,
            device=report.device,
            cost=cost,
            stages=report.times(),
            gpu=summary(samples),
        )
        yield timing
        scores = evaluate(photo_set, result / "mesh.glb", result / "cameras.json", load_protocol(photo_set))
        yield timing.model_copy(update={"evaluation": scores})


def check_device(timing: Timing, wanted: str) -> None:
    """Raise ValueError where a reconstruction did not run on what was wanted, `gpu` or `cpu`."""
    if (timing.device == CPU) != (wanted == CPU):
        raise ValueError(f"it was to run on the {wanted}, but ran on {timing.device}")


def lines(timing: Timing) -> list[str]:
    """Return the figures of a reconstruction, or of its evaluation where it has one, for people."""
    title = f"{timing.photo_set}, {timing.photos} photos, {timing.quality}, on {timing.device}"
    if timing.evaluation:
        poses, surface = timing.evaluation.poses, timing.evaluation.surface
        scores = ", ".join(f"{score.f_score:.1f} at {score.threshold_percent:g} %" for score in surface.thresholds)
        return [f"{title}: {poses.placed} of {poses.photos} photos placed, F {scores}"]
    cost = timing.cost
    memory = f"{cost.peak_memory_bytes / 2**30:.2f} GiB"
    shown = [f"{title}: {cost.wall_s:.1f} s, {cost.cpu_s:.1f} CPU-s, largest process {memory}"]
    shown += [f"  {stage.name:20} {stage.wall_s:8.2f} s {stage.cpu_s:8.2f} CPU-s" for stage in timing.stages]
    return [*shown, f"  GPU: {_use(timing)}"]


def _use(timing: Timing) -> str:
    if timing.gpu is None:
        return "not sampled, for there is no nvidia-smi"
    use = timing.gpu
    busy = "?" if use.busy_share is None else f"{use.busy_share:.1%}"
    return f"busy {busy} of the time, peak memory {use.peak_memory_mib} MiB ({use.memory_before_mib} MiB before)"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo_set", choices=list(PHOTO_SETS))
    parser.add_argument("--on", choices=["gpu", CPU], required=True, help="fail where the worker took the other one")
    parser.add_argument("--quality", choices=["draft", "standard", "high"], default="standard")
    parser.add_argument("--out", type=Path, metavar="FILE", help="store the figures there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
