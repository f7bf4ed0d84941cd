"""Points that depth maps agree on."""

from pathlib import Path

import numpy as np
import pytest

from recon_worker.geometry.ply import read_ply
from recon_worker.models.multiview import parse_parameters
from recon_worker.progress import Progress, Shown
from recon_worker.scene import Scene
from recon_worker.stages.fuse_depths import POINTS, fuse_depths
from tests.support.finished_scene import PARAMETERS, FinishedScene, finished_scene

pytestmark = pytest.mark.slow

Array = np.ndarray


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedScene:
    """Depth maps of an object on a flat ground."""
    return finished_scene(tmp_path_factory)


def fused(finished: FinishedScene, folder: Path, ground: str) -> tuple[Array, list[str]]:
    """The points, (n, 3), and the reasons of the warnings."""
    folder.mkdir()
    scene = Scene(finished.scene)
    for stage in ("estimate_poses", "estimate_depth"):
        assert scene.open(stage, finished.artefact(stage).name.rpartition("-")[2])
    shown = Shown()
    parameters = parse_parameters({**PARAMETERS, "ground": ground})
    fuse_depths(scene, folder, parameters, Progress.silent().recording(shown))
    assert [path.name for path in folder.iterdir()] == [POINTS]
    return read_ply(folder / POINTS).xyz, [warning.reason for warning in shown.warnings]


def test_the_ground_is_removed_where_that_is_asked_for(finished: FinishedScene, tmp_path: Path) -> None:
    kept, _ = fused(finished, tmp_path / "keep", "keep")
    above, warnings = fused(finished, tmp_path / "remove", "remove")
    counts, edges = np.histogram(kept[:, 1], 40)
    ground = edges[counts.argmax()]
    assert not warnings
    assert above[:, 1].min() > ground
    assert 1.2 * counts.max() > len(kept) - len(above) > 0.7 * counts.max()


def test_points_are_the_same_each_time(finished: FinishedScene, tmp_path: Path) -> None:
    """Threads finish in another order each time."""
    first, second = (fused(finished, tmp_path / name, "keep")[0] for name in ("first", "second"))
    np.testing.assert_array_equal(first, second)
