"""Real files, written by the worker's own code; only the model is a toy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker import pipeline
from recon_worker.attempt.run import AttemptResources, run_attempt
from recon_worker.files.manifest import Manifest, manifest_of_job
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.models.model import Model
from recon_worker.progress import Progress, ProgressSink
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.remote.locations import RemoteAccess, RemotePolicy
from recon_worker.scene import Scene
from recon_worker.stages.stage import Stage, run_stages
from recon_worker.storage.volume import VolumeStorage
from tests.support.races.disk import Fence, Watcher
from tests.support.races.fates import STEPS
from tests.support.races.steps import pause


class RealDisk:
    """A folder, and the worker's own way to a published result."""

    def __init__(self, root: Path, watcher: Watcher) -> None:
        self._watcher = watcher
        self.storage = VolumeStorage(root)

    def run(self, payload: TaskPayload, fence: Fence, sink: ProgressSink) -> PublishedResult:
        """Compute what is missing, then publish."""
        pause("looks what is there")
        uid = payload.job_id
        models = ToyModels(uid, self._watcher)

        fenced = False

        def fence_and_pause() -> None:
            nonlocal fenced
            fence()
            pause("publishes")
            fenced = True

        remote = RemoteAccess(RemotePolicy(), None)
        resources = AttemptResources(self.storage, models, InputLimits(), remote)
        finished = run_attempt(payload, resources, {}, sink, fence_and_pause)
        if fenced:
            self._watcher.published(uid)
        pause("has published")
        return finished

    def manifest(self, folder: Path, uid: str) -> Manifest | None:
        """Return what the job has published in a folder."""
        return manifest_of_job(folder, uid)

    def has_work(self, uid: str) -> bool:
        """Say whether anything is left of a job that is not published."""
        return self.storage.work(uid).exists()


class ToyModels(Models):
    """The one model."""

    def __init__(self, uid: str, watcher: Watcher) -> None:
        self._toy = Toy(uid, watcher)

    def model(self, name: str) -> Model:
        """Return it, whatever it is called."""
        return self._toy

    def load(self, model: Model) -> None:
        """There is nothing to load."""


class Toy:
    """Writes one word for each step."""

    name, reads_photos = "toy", False

    def __init__(self, uid: str, watcher: Watcher) -> None:
        self._uid, self._watcher = uid, watcher
        self._begun: list[str] = []

    def load(self, weights_dir: Path | None, device: str) -> None:
        """There is nothing to load."""

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Take anything."""

    def run(self, scene: Scene, parameters: Mapping[str, Any], sink: ProgressSink) -> Path:
        """Run the steps, each a stage of its own."""
        for place, name in enumerate(STEPS):
            reads = STEPS[place - 1 : place] if place else ()
            run_stages([Stage(name, Step.RECONSTRUCTION, self._compute, reads=reads)], scene, parameters, sink)
            if name in self._begun:
                self._watcher.finished_step(self._uid, name)
        return scene.folder(STEPS[-1])

    def _compute(self, scene: Scene, folder: Path, parameters: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        step = next(name for name in STEPS if f"-{name}-" in folder.name)
        self._begun.append(step)
        self._watcher.begins_step(self._uid, step)
        pause(f"computes {step}")
        progress.check_cancelled()
        self._watcher.strike(self._uid, step)
        (folder / f"{step}.txt").write_text(step)
        return {}


QUICK: tuple[tuple[Any, str, Any], ...] = (
    (pipeline, "_versions", dict),
    (pipeline, "wait_for", lambda work, progress: work(progress)),
)
"""What of the pipeline is slow and of no matter here, and what stands in for it."""
