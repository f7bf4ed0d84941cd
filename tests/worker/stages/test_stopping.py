"""Every stage stops wherever it is told to, leaves nothing half done, and is all that the next run has to do again."""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.steps import Step
from recon_dev.photos import put_photos
from recon_worker.inputs.source import PhotoSource
from recon_worker.models.multiview import STAGES, parse_parameters
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.load_photos import LOAD_PHOTOS
from recon_worker.stages.stage import Stage, run_stages
from tests.support.photo_sets import rendered_photos

pytestmark = pytest.mark.slow

NAMES = [LOAD_PHOTOS.name, *(stage.name for stage in STAGES)]
PARAMETERS = {"quality": "draft", "maxImageSize": 480, "targetFaces": 20_000, "formats": ["glb", "obj", "ply"]}
HALF_DONE = 0
"""The first look after half of a stage's work, whichever number it is."""


@dataclass
class Watcher:
    """Sees which stages begin, counts how often each looks whether it must stop, and says so at one of these looks."""

    stage: str = ""
    look: int = 1
    began: list[str] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    _half_done: bool = False

    def show(self, _: Step, percentage: float) -> None:
        """Take note of the running stage's middle."""
        self._half_done |= percentage >= 50

    def show_metric(self, _: str, __: str | int) -> None:
        """Forget it."""

    def raise_if_stopped(self) -> None:
        """Raise from the chosen look on."""
        if not self.began:
            return
        running = self.began[-1]
        self.looks[running] += 1
        if running == self.stage and (self._half_done if self.look == HALF_DONE else self.looks[running] >= self.look):
            raise JobCancelled(reasons.CANCELLED, "asked to")

    def watched(self, stage: Stage[Any]) -> Stage[Any]:
        """Return the stage with percentages of its own."""

        def run(scene: Scene, folder: Path, parameters: object, _: Progress) -> Mapping[str, Any]:
            self.began.append(stage.name)
            self._half_done = False
            return stage.run(scene, folder, parameters, Progress(self, stage.step, 0.0, 100.0))

        return replace(stage, run=run)


@dataclass
class Work:
    """Photos, and the scene that is made of them."""

    photos: Path
    scene: Path

    def run(self, watcher: Watcher) -> None:
        """Run the stages that are not finished."""
        scene = Scene(self.scene)
        run_stages([watcher.watched(LOAD_PHOTOS)], scene, PhotoSource(self.photos), watcher)
        run_stages([watcher.watched(stage) for stage in STAGES], scene, parse_parameters(PARAMETERS), watcher)

    def folders(self) -> set[str]:
        """Return the names of all folders, drafts too, without the fingerprints."""
        return {folder.name.rpartition("-")[0] or folder.name for folder in self.scene.iterdir()}

    def finished_before(self, stage: str, folder: Path) -> "Work":
        """Return the same work at the moment at which all before that stage was finished."""
        folder.mkdir()
        for name in NAMES[: NAMES.index(stage)]:
            (finished,) = self.scene.glob(f"{name}-*")
            shutil.copytree(finished, folder / finished.name, copy_function=os.link)
        return Work(self.photos, folder)

    def files(self) -> dict[str, str]:
        """Return the hashes of the files that would be published."""
        (folder,) = self.scene.glob(f"{NAMES[-1]}-*")
        files = (file for file in folder.iterdir() if file.name not in ("report.json", ".contents.json"))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def undisturbed() -> Watcher:
    """What a run looked like that nobody stopped."""
    return Watcher()


@pytest.fixture(scope="module")
def finished(undisturbed: Watcher, tmp_path_factory: pytest.TempPathFactory) -> Work:
    """The work of a run that nobody stopped."""
    folder = tmp_path_factory.mktemp("finished")
    put_photos(rendered_photos(), folder / "photos")
    work = Work(folder / "photos", folder / "scene")
    work.run(undisturbed)
    return work


@pytest.mark.parametrize("look", [1, 5, pytest.param(HALF_DONE, id="half done")])
@pytest.mark.parametrize("stage", NAMES)
def test_a_stopped_stage_leaves_nothing_but_what_was_finished_before(
    finished: Work, stage: str, look: int, tmp_path: Path
) -> None:
    work = finished.finished_before(stage, tmp_path / "scene")
    before, processes = work.folders(), psutil.Process().children(recursive=True)
    with pytest.raises(JobCancelled):
        work.run(Watcher(stage, look))
    assert work.folders() == before
    assert psutil.Process().children(recursive=True) == processes
    again = Watcher(stage)
    with pytest.raises(JobCancelled):
        work.run(again)
    assert again.began == [stage], "what was finished is not begun again"


def test_a_stopped_job_that_goes_on_ends_with_the_same_files(finished: Work, tmp_path: Path) -> None:
    work = finished.finished_before("render_previews", tmp_path / "scene")
    with pytest.raises(JobCancelled):
        work.run(Watcher("render_previews", HALF_DONE))
    rest = Watcher()
    work.run(rest)
    assert rest.began == ["render_previews", "export_model"]
    assert work.files() == finished.files()


PHOTOS = len(rendered_photos())
FRAMES = 36
"""Of the turntable."""


@pytest.mark.parametrize(
    ("stage", "least"),
    [
        pytest.param("load_photos", 20 * PHOTOS, id="photos are read in pieces"),
        pytest.param("prepare_images", 20 * PHOTOS, id="each photo is read and written in pieces"),
        pytest.param("estimate_depth", 60 * PHOTOS, id="each view's depth is swept, matched and refined in parts"),
        pytest.param("fuse_depths", 14 * PHOTOS, id="each view is compared to one other after the other"),
        pytest.param("build_mesh", 4 * PHOTOS, id="colours are looked up, and averaged twice, photo by photo"),
        pytest.param("render_previews", 16 * FRAMES, id="each picture of the turn is taken and written in parts"),
        pytest.param("export_model", 22, id="meshes are written in pieces"),
    ],
)
def test_stages_look_whether_they_must_stop_at_every_part_of_their_work(
    undisturbed: Watcher, finished: Work, stage: str, least: int
) -> None:
    assert finished.folders() == set(NAMES)
    assert undisturbed.looks[stage] >= least
