"""What a run found, as it is stored."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from benchmarks.evaluate import Cost
from benchmarks.gpu.figures import Figure
from benchmarks.gpu.gpu_use import Gpu, GpuUse
from recon_dev.ground_truth.evaluation import Evaluation


class StageTime(BaseModel):
    """How long one stage took."""

    name: str
    wall_s: float
    cpu_s: float
    """User and system time, that of its tools too."""


class Timing(BaseModel):
    """One reconstruction."""

    photo_set: str
    photos: int
    quality: str
    device: str
    """Where the depth maps were computed, as the result's report says: a GPU's name, or `cpu`."""
    cost: Cost
    """Of the whole process, its start included."""
    stages: tuple[StageTime, ...]
    gpu: GpuUse | None
    """During the whole process; None without nvidia-smi."""
    evaluation: Evaluation | None = None


class Outcome(StrEnum):
    """How a part of the run ended."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    LEFT_OUT = "left out"
    CUT_OFF = "cut off"
    """The whole run was asked to stop."""


class Findings(BaseModel):
    """What one part has found so far."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    figures: tuple[Figure, ...] = ()
    timing: Timing | None = None

    def save(self, file: Path) -> None:
        """Write it, whole or not at all."""
        _write(self, file)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read what `save` wrote; nothing was found where there is no file."""
        return cls.model_validate_json(file.read_bytes()) if file.exists() else cls()


class Part(BaseModel):
    """One part of the run, at its end."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    name: str
    outcome: Outcome
    wall_s: float = 0.0
    reason: str | None = None
    """Why it is not done."""
    figures: tuple[Figure, ...] = ()
    timing: Timing | None = None


class Results(BaseModel):
    """All of a run."""

    model_config = ConfigDict(ser_json_inf_nan="strings")

    run: dict[str, Any]
    """See `benchmarks.machine.describe_run`."""
    gpu: Gpu | None
    cuda: str | None
    """Version that torch is built for."""
    rehearsal: bool
    """Everything ran on the CPU: no figure says anything of a GPU."""
    parts: tuple[Part, ...] = ()

    def save(self, folder: Path) -> Path:
        """Write it into the folder, which is made; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"gpu-{self.run['date'].replace(':', '')[:15]}.json"
        _write(self, file)
        return file


def _write(model: BaseModel, file: Path) -> None:
    draft = file.with_name(f".{file.name}.tmp")
    draft.write_text(model.model_dump_json(indent=1) + "\n")
    draft.replace(file)
