"""One finished reconstruction of the rendered photos for a whole test run, however many of its processes need one."""

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.steps import Step
from recon_dev.photos import put_photos
from recon_worker.inputs.source import PhotoSource
from recon_worker.models.multiview import STAGES, parse_parameters
from recon_worker.progress import Progress, SilentSink
from recon_worker.scene import Scene
from recon_worker.stages.load_photos import LOAD_PHOTOS
from recon_worker.stages.stage import Stage, run_stages
from tests.support.photo_sets import rendered_photos

NAMES = [LOAD_PHOTOS.name, *(stage.name for stage in STAGES)]
PARAMETERS: Mapping[str, Any] = {
    "quality": "draft",
    "maxImageSize": 480,
    "targetFaces": 20_000,
    "formats": ["glb", "obj", "ply"],
}
"""A job that is to go on from the scene has these, too."""

HALF_DONE = 0
"""The first look after half of a stage's work, whichever number it is."""


@dataclass
class Watcher(SilentSink):
    """Sees which stages begin, counts how often each looks whether it must stop, and says so at one of these looks."""

    stage: str = ""
    look: int = 1
    began: list[str] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    _half_done: bool = False

    def show(self, _: Step, percentage: float) -> None:
        """Take note of the running stage's middle."""
        self._half_done |= percentage >= 50

    def raise_if_stopped(self) -> None:
        """Raise from the chosen look on."""
        if not self.began:
            return
        running = self.began[-1]
        self.looks[running] += 1
        if running == self.stage and (self._half_done if self.look == HALF_DONE else self.looks[running] >= self.look):
            raise JobCancelled(reasons.CANCELLED, "asked to")

    def run(self, photos: Path, folder: Path) -> None:
        """Run the stages that are not finished in that scene."""
        scene = Scene(folder)
        run_stages([self._watched(LOAD_PHOTOS)], scene, PhotoSource(photos), self)
        run_stages([self._watched(stage) for stage in STAGES], scene, parse_parameters(PARAMETERS), self)

    def _watched(self, stage: Stage[Any]) -> Stage[Any]:
        """Return the stage with percentages of its own."""

        def run(scene: Scene, folder: Path, parameters: object, _: Progress) -> Mapping[str, Any]:
            self.began.append(stage.name)
            self._half_done = False
            return stage.run(scene, folder, parameters, Progress(self, stage.step, 0.0, 100.0))

        return replace(stage, run=run)


@dataclass(frozen=True)
class FinishedScene:
    """Photos, and what every stage has made of them. Others read it, too: link its files, and change none."""

    root: Path

    @property
    def photos(self) -> Path:
        """Folder of the photos."""
        return self.root / "photos"

    @property
    def scene(self) -> Path:
        """Folder of the stages' artefacts."""
        return self.root / "scene"

    @property
    def looks(self) -> Counter[str]:
        """How often each stage has looked whether it must stop."""
        return Counter(json.loads(self._looks_file.read_text()))

    @property
    def _looks_file(self) -> Path:
        return self.root / "looks.json"

    def artefact(self, stage: str) -> Path:
        """Return what a stage has made."""
        (found,) = self.scene.glob(f"{stage}-*")
        return found

    def link(self, stage: str, target: Path) -> None:
        """Make the folder `target` hold what a stage has made."""
        shutil.copytree(self.artefact(stage), target, copy_function=os.link)

    def finish(self, steps: Path, last: Step) -> None:
        """Give a job that does not run now what it has not made up to this step, as if an attempt had finished it.

        `steps` is the folder of the job's scene, where it has read these photos itself: they bear its fingerprint, on
        which those of all that follows depend.
        """
        scene = Scene(steps)
        (loaded,) = steps.glob(f"{LOAD_PHOTOS.name}-*")
        assert scene.open(LOAD_PHOTOS.name, loaded.name.rpartition("-")[2])
        wanted = list(Step)[: list(Step).index(last) + 1]
        for stage in (stage for stage in STAGES if stage.step in wanted):
            fingerprint = stage.fingerprint(scene, parse_parameters(PARAMETERS))
            if not scene.open(stage.name, fingerprint):
                self.link(stage.name, steps / f"{stage.name}-{fingerprint}")
                assert scene.open(stage.name, fingerprint)

    def make(self) -> None:
        """Reconstruct the photos, unless that is done."""
        if self._looks_file.exists():
            return
        shutil.rmtree(self.root, ignore_errors=True)
        put_photos(rendered_photos(), self.photos)
        watcher = Watcher()
        watcher.run(self.photos, self.scene)
        self._looks_file.write_text(json.dumps(watcher.looks))


def finished_scene(factory: pytest.TempPathFactory) -> FinishedScene:
    """Return the test run's scene, made by the first process that comes here; no other run sees it."""
    base = factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    found = FinishedScene(folder / "finished-scene")
    with (folder / "finished-scene.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found.make()
    return found
