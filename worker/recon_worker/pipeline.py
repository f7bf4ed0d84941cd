"""From photos to a published result, for a job and for the command line alike."""

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.steps import Step
from recon_worker.inputs.source import PhotoSource
from recon_worker.models.model import Model
from recon_worker.progress import Progress, ProgressSink
from recon_worker.scene import Scene
from recon_worker.stages.background import wait_for
from recon_worker.stages.fetch_photos import FETCH_PHOTOS, RemotePhotos
from recon_worker.stages.load_photos import LOAD_PHOTOS
from recon_worker.stages.stage import run_stages

VERSIONED = ("reconstruction-operator", "torch", "pycolmap", "numpy", "pillow")
"""Distributions whose versions a report names."""

FETCHING_SHARE = 0.5
"""Of the time of loading, where the photos come from a URL."""

Published = TypeVar("Published")


@dataclass(frozen=True)
class Reconstruction:
    """What is to be reconstructed, and how."""

    model: Model
    parameters: Mapping[str, Any]
    load: Callable[[Model], None]
    """Makes the model ready; called once parameters and photos are known to be right, for it may take long."""
    photos: PhotoSource | RemotePhotos | None = None
    """A model that reads none needs none; remote ones are fetched first."""
    report_fields: Mapping[str, Any] = field(default_factory=dict)
    """Further entries of the report, such as the job's name."""


def reconstruct(
    request: Reconstruction, scene: Scene, sink: ProgressSink, publish: Callable[[Path, str], Published]
) -> Published:
    """Run the six steps; steps that the scene holds already are not run again.

    `publish(folder, report)` is the last step: it gets the folder whose files are the result, and the report as JSON
    text. Returns what it returns. Raises the errors of `recon_api.errors`.
    """
    request.model.check(request.parameters)
    Progress.of_step(sink, Step.LOADING).tick(0.0)
    if request.model.reads_photos:
        _load_photos(request, scene, sink)
    wait_for(lambda _: request.load(request.model), Progress.of_step(sink, Step.LOADING))
    folder = request.model.run(scene, request.parameters, sink)
    finalizing = Progress.of_step(sink, Step.FINALIZING)
    finalizing.tick(0.0)
    published = publish(folder, json.dumps(report_of(request, scene), indent=1))
    sink.show(Step.FINALIZING, Step.FINALIZING.end_percentage)
    return published


def _load_photos(request: Reconstruction, scene: Scene, sink: ProgressSink) -> None:
    photos = request.photos
    if photos is None:
        raise UsageError(
            reasons.INPUT_NOT_FOUND,
            f"the model {request.model.name} needs photos; set spec.input.path or spec.input.url",
        )
    if isinstance(photos, PhotoSource):
        run_stages([LOAD_PHOTOS], scene, photos, sink)
    else:
        run_stages([FETCH_PHOTOS], scene, photos, sink, share=(0.0, FETCHING_SHARE))
        run_stages([LOAD_PHOTOS], scene, photos.in_scene(scene), sink, share=(FETCHING_SHARE, 1.0))


def report_of(request: Reconstruction, scene: Scene) -> dict[str, Any]:
    """Return what was done: the model, its parameters, every stage's figures in the order in which they ran."""
    stages = scene.reports()
    return {
        **request.report_fields,
        "model": request.model.name,
        "parameters": dict(request.parameters),
        "seconds": round(sum(report.get("seconds", 0.0) for report in stages.values()), 3),
        "cpuSeconds": round(sum(report.get("cpu_seconds", 0.0) for report in stages.values()), 3),
        "stages": [{"name": name, **report} for name, report in stages.items()],
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
