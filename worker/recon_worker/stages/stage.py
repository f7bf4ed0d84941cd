"""What a stage is, and running a list of them with reuse of what is finished."""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from recon_api.payload import JobWarning
from recon_api.steps import Step
from recon_worker.progress import Progress, ProgressSink, Shown
from recon_worker.scene import Scene, fingerprint_of

P = TypeVar("P")

logger = logging.getLogger(__name__)

Run = Callable[[Scene, Path, P, Progress], Mapping[str, Any]]
"""run(scene, folder, parameters, progress) -> figures: read from the scene, write into the folder."""


@dataclass(frozen=True)
class Stage(Generic[P]):
    """One stage: what it runs, what it reads, and what of the parameters matters to it."""

    name: str
    step: Step
    run: Run[P]
    reads: tuple[str, ...] = ()
    """Names of the stages whose artefacts it reads."""
    parameters_read: Callable[[P], object] = lambda _: None
    """The JSON-serialisable part of the parameters that changes the result."""
    weight: float = 1.0
    """Share of its step's time, relative to the other stages of the step."""
    version: int = 1
    """Raised whenever the same input gives another output."""

    def fingerprint(self, scene: Scene, parameters: P) -> str:
        """Return the digest of everything that the stage's output depends on."""
        inputs = [scene.fingerprint(name) for name in self.reads]
        return fingerprint_of(self.name, self.version, self.parameters_read(parameters), inputs)


def run_stages(
    stages: Sequence[Stage[P]],
    scene: Scene,
    parameters: P,
    sink: ProgressSink,
    share: tuple[float, float] = (0.0, 1.0),
) -> None:
    """Run the stages in order; one whose output exists with the same fingerprint is not run again.

    `share` is the part of their steps' percentages that they take.

    Raises whatever a stage raises, and `JobCancelled` at a stage's boundary or inside its loops.
    """
    for stage, progress in zip(stages, _spans(stages, sink, share), strict=True):
        progress.tick(0.0)
        fingerprint = stage.fingerprint(scene, parameters)
        if scene.open(stage.name, fingerprint):
            _show_again(scene.report(stage.name), progress)
        else:
            _run_stage(stage, scene, parameters, progress, fingerprint)
        progress.tick(1.0)


def _run_stage(stage: Stage[P], scene: Scene, parameters: P, progress: Progress, fingerprint: str) -> None:
    wall, cpu = time.perf_counter(), _cpu_seconds()
    with scene.writing(stage.name, fingerprint, progress.check_cancelled) as (folder, report):
        shown = Shown()
        report.update(stage.run(scene, folder, parameters, progress.recording(shown)))
        report.update({"step": stage.step.value, "metrics": shown.metrics})
        if shown.warnings:
            report["warnings"] = [warning.model_dump() for warning in shown.warnings]
        report["seconds"] = round(time.perf_counter() - wall, 3)
        report["cpu_seconds"] = round(_cpu_seconds() - cpu, 3)
    logger.info("stage %s is finished: %s", stage.name, _figures(report))


def _figures(report: Mapping[str, Any]) -> str:
    """Return the figures of a report that are a number or a word, in a line."""
    shown = {name: f"{value:.4g}" if isinstance(value, float) else value for name, value in report.items()}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if isinstance(value, int | str))


def _show_again(report: Mapping[str, Any], progress: Progress) -> None:
    for name, value in report.get("metrics", {}).items():
        progress.metric(name, value)
    for warning in report.get("warnings", ()):
        progress.warn(JobWarning.model_validate(warning))


def _cpu_seconds() -> float:
    """CPU time of this process and of the tool processes that it has waited for."""
    times = os.times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _spans(stages: Sequence[Stage[P]], sink: ProgressSink, share: tuple[float, float]) -> list[Progress]:
    """Divide each step's percentages among its stages, by weight."""
    spans: list[Progress] = []
    for index, stage in enumerate(stages):
        same_step = [s.weight for s in stages if s.step == stage.step]
        before = sum(s.weight for s in stages[:index] if s.step == stage.step)
        total = sum(same_step)
        spans.append(
            Progress.of_step(sink, stage.step).part(*share).part(before / total, (before + stage.weight) / total)
        )
    return spans
