"""The built-in model `multiview`: photogrammetry, on a CPU or a GPU.

Photos are placed by structure from motion, with learned features where SIFT places too few. Each gets a depth map by plane sweep,
semi-global matching and refinement, the maps are checked against each other and fused to points, and a surface is laid through them.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.steps import Step
from recon_worker.progress import Progress, ProgressSink
from recon_worker.scene import Scene
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.stage import Run, Stage, run_stages


def _run_of(name: str) -> Run[MultiViewParameters]:
    """Return the function of the stage of that name, whose module is imported when it first runs: torch takes seconds."""

    def run(scene: Scene, folder: Path, parameters: MultiViewParameters, progress: Progress) -> Mapping[str, Any]:
        module = importlib.import_module(f"recon_worker.stages.{name}")
        report: Mapping[str, Any] = getattr(module, name)(scene, folder, parameters, progress)
        return report

    return run


STAGES: tuple[Stage[MultiViewParameters], ...] = (
    Stage(
        name="prepare_images",
        step=Step.PREPROCESSING,
        run=_run_of("prepare_images"),
        reads=("load_photos",),
        parameters_read=lambda parameters: parameters.photo_px,
    ),
    Stage(
        name="estimate_poses",
        step=Step.RECONSTRUCTION,
        run=_run_of("estimate_poses"),
        reads=("prepare_images",),
        parameters_read=lambda parameters: (parameters.seed, bool(parameters.require_all_photos)),
        weight=0.3,
        version=9,
    ),
    Stage(
        name="estimate_depth",
        step=Step.RECONSTRUCTION,
        run=_run_of("estimate_depth"),
        reads=("estimate_poses",),
        parameters_read=lambda parameters: (parameters.quality, parameters.depth_px, parameters.region.mode),
        weight=0.7,
        version=6,
    ),
    Stage(
        name="fuse_depths",
        step=Step.POST_PROCESSING,
        run=_run_of("fuse_depths"),
        reads=("estimate_poses", "estimate_depth"),
        parameters_read=lambda parameters: (parameters.ground,),
        weight=0.45,
        version=4,
    ),
    Stage(
        name="build_mesh",
        step=Step.POST_PROCESSING,
        run=_run_of("build_mesh"),
        reads=("estimate_poses", "estimate_depth", "fuse_depths"),
        parameters_read=lambda parameters: (parameters.quality, parameters.faces, parameters.closed),
        weight=0.55,
        version=5,
    ),
    Stage(
        name="render_previews",
        step=Step.PREVIEWS,
        run=_run_of("render_previews"),
        reads=("estimate_poses", "estimate_depth", "build_mesh"),
        weight=0.8,
        version=2,
    ),
    Stage(
        name="export_model",
        step=Step.PREVIEWS,
        run=_run_of("export_model"),
        reads=("estimate_poses", "fuse_depths", "build_mesh", "render_previews"),
        parameters_read=lambda parameters: sorted(parameters.formats),
        weight=0.2,
        version=2,
    ),
)
"""In order; the last one's artefact is what is published."""


class MultiView:
    """Photogrammetry in seven stages; see `recon_worker.models.model.Model`."""

    name = "multiview"
    reads_photos = True

    def load(self, weights_dir: Path | None, device: str) -> None:
        """Import torch, which takes seconds. The weights are small, and read where they are used."""
        for stage in STAGES:
            importlib.import_module(f"recon_worker.stages.{stage.name}")

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise UsageError(PARAMETERS_REJECTED) naming the parameter that is not taken, and why."""
        parse_parameters(parameters)

    def run(self, scene: Scene, parameters: Mapping[str, Any], sink: ProgressSink) -> Path:
        """Run the stages and return the folder of files to publish."""
        run_stages(STAGES, scene, parse_parameters(parameters), sink)
        return scene.folder(STAGES[-1].name)


def parse_parameters(parameters: Mapping[str, Any]) -> MultiViewParameters:
    """Return the parameters as a model; raise UsageError(PARAMETERS_REJECTED) naming the first that is not taken."""
    try:
        return MultiViewParameters.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(field.alias or name for name, field in MultiViewParameters.model_fields.items()))
            why = f"multiview has no such parameter; it takes {known}"
        else:
            why = first["msg"]
        raise UsageError(reasons.PARAMETERS_REJECTED, f"parameters.{key}: {why}") from error
