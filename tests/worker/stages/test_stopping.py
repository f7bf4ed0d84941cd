"""Every stage stops wherever it is told to, leaves nothing half done, and is all that the next run has to do again."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from recon_api.errors import JobCancelled
from tests.support.finished_scene import HALF_DONE, NAMES, FinishedScene, Watcher, finished_scene
from tests.support.photo_sets import rendered_photos

pytestmark = pytest.mark.slow


@dataclass
class Work:
    """Photos, and the scene that is made of them."""

    photos: Path
    scene: Path

    def run(self, watcher: Watcher) -> None:
        """Run the stages that are not finished."""
        watcher.run(self.photos, self.scene)

    def folders(self) -> set[str]:
        """Return the names of all folders, drafts too, without the fingerprints."""
        return {folder.name.rpartition("-")[0] or folder.name for folder in self.scene.iterdir()}

    def files(self) -> dict[str, str]:
        """Return the hashes of the files that would be published."""
        (folder,) = self.scene.glob(f"{NAMES[-1]}-*")
        files = (file for file in folder.iterdir() if file.name not in ("report.json", ".contents.json"))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedScene:
    """The work of a run that nobody stopped."""
    return finished_scene(tmp_path_factory)


def work_before(stage: str, finished: FinishedScene, folder: Path) -> Work:
    """Return the same work at the moment at which all before that stage was finished."""
    folder.mkdir()
    for name in NAMES[: NAMES.index(stage)]:
        finished.link(name, folder / finished.artefact(name).name)
    return Work(finished.photos, folder)


@pytest.mark.parametrize("look", [1, 5, pytest.param(HALF_DONE, id="half done")])
@pytest.mark.parametrize("stage", NAMES)
def test_a_stopped_stage_leaves_nothing_but_what_was_finished_before(
    finished: FinishedScene, stage: str, look: int, tmp_path: Path
) -> None:
    work = work_before(stage, finished, tmp_path / "scene")
    before, processes = work.folders(), psutil.Process().children(recursive=True)
    with pytest.raises(JobCancelled):
        work.run(Watcher(stage, look))
    assert work.folders() == before
    assert psutil.Process().children(recursive=True) == processes
    again = Watcher(stage)
    with pytest.raises(JobCancelled):
        work.run(again)
    assert again.began == [stage], "what was finished is not begun again"


def test_a_stopped_job_that_goes_on_ends_with_the_same_files(finished: FinishedScene, tmp_path: Path) -> None:
    work = work_before("render_previews", finished, tmp_path / "scene")
    with pytest.raises(JobCancelled):
        work.run(Watcher("render_previews", HALF_DONE))
    rest = Watcher()
    work.run(rest)
    assert rest.began == ["render_previews", "export_model"]
    assert work.files() == Work(finished.photos, finished.scene).files()


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
    finished: FinishedScene, stage: str, least: int
) -> None:
    assert Work(finished.photos, finished.scene).folders() == set(NAMES)
    assert finished.looks[stage] >= least
