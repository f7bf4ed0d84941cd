"""Depth maps of placed photos: of the object that they show, or of the whole scene."""

from pathlib import Path

import pytest

from recon_worker.geometry.cameras import CameraSet
from recon_worker.models.multiview import parse_parameters
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.estimate_depth import SavedDepth, estimate_depth, load_region, saved_maps
from tests.support.finished_scene import PARAMETERS, FinishedScene, finished_scene

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedScene:
    """Photos around an object, placed."""
    return finished_scene(tmp_path_factory)


@pytest.mark.parametrize(("mode", "region"), [("auto", "object"), ("full", "full")])
def test_depth_maps_cover_the_region_that_is_asked_for(
    finished: FinishedScene, tmp_path: Path, mode: str, region: str
) -> None:
    placed = finished.artefact("estimate_poses")
    scene = Scene(finished.scene)
    assert scene.open("estimate_poses", placed.name.rpartition("-")[2])
    parameters = parse_parameters({**PARAMETERS, "region": {"mode": mode}})
    report = estimate_depth(scene, tmp_path, parameters, Progress.silent())
    assert report["region"] == region
    assert load_region(tmp_path).whole_scene is (region == "full")
    cameras, maps = CameraSet.load(placed).cameras, saved_maps(tmp_path)
    assert report["views"] == len(maps) == len(cameras)
    for number, path in maps.items():
        saved, camera = SavedDepth.load(path), cameras[number]
        whole = saved.w.shape[1] / saved.w.shape[0] == pytest.approx(camera.width / camera.height, rel=0.02)
        assert whole or region == "object"
        assert (saved.score > 0.4).mean() > 0.2
