"""The result of a finished job, read from what an attempt published: whichever attempt finds it reports the same."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from recon_api.payload import INPUT_BYTES, PHOTOS, JobWarning
from recon_api.status import Metric, Output, StepTime
from recon_api.steps import Step
from recon_worker.files.manifest import REPORT, Manifest
from recon_worker.progress import Figure


class StageReport(BaseModel):
    """What a published report says of one stage, as far as it matters here."""

    step: str = ""
    """Name of the step that the stage belongs to; a model that runs its stages by itself may leave it out."""
    seconds: float = Field(default=0.0, ge=0)
    metrics: dict[str, Figure] = Field(default_factory=dict)
    warnings: tuple[JobWarning, ...] = ()


class Report(BaseModel):
    """A published report, likewise."""

    stages: tuple[StageReport, ...] = ()


@dataclass(frozen=True)
class PublishedResult:
    """The published result of a job."""

    outputs: tuple[Output, ...]
    steps: tuple[StepTime, ...]
    """How long each step took, over all attempts that worked on it."""
    metrics: tuple[Metric, ...]
    warnings: tuple[JobWarning, ...] = ()
    photos: int | None = None
    """How many photos the job has; none where the model reads none."""
    input_bytes: int | None = None
    """How large their files are, as the user gave them."""


def read_published_result(
    folder: Path, manifest: Manifest, finalizing_s: float | None = None, url: str | None = None
) -> PublishedResult:
    """Return the result in a published folder; `finalizing_s` is how long publishing it took, where that is known.

    The outputs are named where they lie: in the folder, or below `url` where they were uploaded.
    """
    return published_result(_report(folder), manifest, folder if url is None else url, finalizing_s)


def published_result(
    report: Report, manifest: Manifest, location: Path | str, finalizing_s: float | None = None
) -> PublishedResult:
    """Return the result of a report and a manifest, with the outputs named in a folder or below a URL."""
    seconds = {step: _seconds(report, step) for step in Step} | {Step.FINALIZING: finalizing_s}
    return PublishedResult(
        outputs=manifest.outputs(location),
        steps=tuple(StepTime(name=step, seconds=round(s, 3)) for step, s in seconds.items() if s is not None),
        metrics=tuple(
            Metric(name=name, value=str(value)) for stage in report.stages for name, value in stage.metrics.items()
        ),
        warnings=tuple(warning for stage in report.stages for warning in stage.warnings),
        photos=_count(report, PHOTOS),
        input_bytes=_count(report, INPUT_BYTES),
    )


def report_in(text: bytes | str) -> Report:
    """Return a report from its text; an empty one where it can't be read."""
    try:
        return Report.model_validate_json(text)
    except ValidationError:
        return Report()


def _report(folder: Path) -> Report:
    try:
        return report_in((folder / REPORT).read_bytes())
    except OSError:  # another job may be publishing in the same place
        return Report()


def _count(report: Report, name: str) -> int | None:
    """Return a figure that is a number; older reports have none but texts."""
    figures = (stage.metrics.get(name) for stage in report.stages)
    return next((figure for figure in figures if isinstance(figure, int)), None)


def _seconds(report: Report, step: Step) -> float | None:
    """Return the time of the step's stages, None where it had none."""
    times = [stage.seconds for stage in report.stages if stage.step == step]
    return sum(times) if times else None
