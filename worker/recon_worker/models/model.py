"""What a model is: a plug-in of the entry-point group `reconstruction.models`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from recon_worker.progress import ProgressSink
from recon_worker.scene import Scene


class Model(Protocol):
    """Turns the photos of a scene into output files.

    One instance lives as long as its worker process: `load` is called once, `run` once for each job.
    """

    name: str
    reads_photos: bool
    """Whether the job's input is loaded first, as the artefact `load_photos` (see `stages.load_photos.PhotoSet`)."""

    def load(self, weights_dir: Path | None, device: str) -> None:
        """Bring weights to the device (`cpu`, `cuda`). Raises UsageError(WEIGHTS_NOT_FOUND) naming what is missing.

        Runs in a thread of its own, and to its end, even where the job is told to stop: the next job has use for it.
        """

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise UsageError(PARAMETERS_REJECTED) naming the parameter that the model does not take, and why."""

    def run(self, scene: Scene, parameters: Mapping[str, Any], sink: ProgressSink) -> Path:
        """Reconstruct, from step "Preprocessing images" to the end of "Generating previews".

        Returns the folder (an artefact of the scene) whose files are to be published; its `report.json` is the report's
        part of that stage and is not published as it is. Raises the errors of `recon_api.errors`.
        """
