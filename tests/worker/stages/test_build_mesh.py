"""The resolution of the surface follows that of the points, and it is closed where that is asked for."""

from pathlib import Path

import numpy as np
import pytest

from recon_worker.geometry.ply import read_ply
from recon_worker.models.multiview import parse_parameters
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.build_mesh import MESH, build_mesh, octree_depth
from recon_worker.tools.mesh_cleaning import is_watertight
from tests.support.finished_scene import PARAMETERS, finished_scene


@pytest.mark.parametrize(
    ("side", "cell", "depth"),
    [
        pytest.param(2.0, 2.2 / 256, 8, id="256 cells along a side"),
        pytest.param(8.0, 2.2 / 256, 10, id="a scene four times as long has two levels more"),
        pytest.param(2.0, 2.2 / 300, 8, id="the nearest number of levels"),
        pytest.param(2.0, 1e-6, 11, id="not so many that memory does not suffice"),
        pytest.param(2.0, 1.0, 6, id="not so few that nothing is left of a surface"),
    ],
)
def test_levels_of_the_octree(side: float, cell: float, depth: int) -> None:
    corners = np.array([[0, 0, 0], [side / 2, side, side / 3]], np.float32)
    assert octree_depth(corners, cell, 11) == depth


@pytest.mark.slow
def test_a_mesh_that_is_to_be_closed_is_watertight(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    finished = finished_scene(tmp_path_factory)
    scene = Scene(finished.scene)
    for stage in ("estimate_poses", "estimate_depth", "fuse_depths"):
        assert scene.open(stage, finished.artefact(stage).name.rpartition("-")[2])
    parameters = parse_parameters({**PARAMETERS, "closed": True})
    report = build_mesh(scene, tmp_path, parameters, Progress.silent())
    assert report["watertight"]
    mesh = read_ply(tmp_path / MESH)
    assert is_watertight(mesh.faces)
    assert len(mesh.faces) < 1.1 * 20_000
