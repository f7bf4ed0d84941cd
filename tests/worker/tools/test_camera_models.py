"""Copies of a database with other assumptions on its cameras."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image

from recon_worker.tools.camera_models import clustered, forget_focal_lengths, share_cameras

NAMES = [f"000/{number}.jpg" for number in range(4)]


@pytest.mark.parametrize(
    ("focals", "clusters"),
    [
        pytest.param({}, [], id="no photos"),
        pytest.param({"a": 800, "b": 810, "c": 790}, [["a", "b", "c"]], id="one zoom setting"),
        pytest.param(
            {"a": 800, "b": 1600, "c": 810, "d": 1590, "e": 805, "f": 1610},
            [["a", "c", "e"], ["b", "d", "f"]],
            id="two, alternating",
        ),
        pytest.param(
            {"a": 800, "b": 810, "c": 790, "d": 1600, "e": 1610},
            [["a", "b", "c"], ["d"], ["e"]],
            id="too few for one of them",
        ),
        pytest.param({"a": 800, "b": 1000, "c": 1250}, [["a"], ["b"], ["c"]], id="another one for each photo"),
    ],
)
def test_photos_of_like_focal_lengths_share_a_camera(focals: Mapping[str, float], clusters: list[list[str]]) -> None:
    assert clustered(focals) == clusters


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Four photos of one camera of a known focal length, whose points match."""
    (tmp_path / "images" / "000").mkdir(parents=True)
    for name in NAMES:
        Image.new("RGB", (100, 80)).save(tmp_path / "images" / name)
    path = tmp_path / "features.db"
    reader = pycolmap.ImageReaderOptions()
    reader.camera_model, reader.camera_params = "SIMPLE_RADIAL", "90,50,40,0"
    pycolmap.Database.open(path).close()
    pycolmap.import_images(
        path, tmp_path / "images", camera_mode=pycolmap.CameraMode.SINGLE, image_names=NAMES, options=reader
    )
    with pycolmap.Database.open(path) as opened:
        images = opened.read_all_images()
        for image in images:
            opened.write_keypoints(image.image_id, np.full((5, 2), image.image_id, np.float32))
        opened.write_matches(images[2].image_id, images[3].image_id, np.array([[0, 4], [1, 3]], np.uint32))
    return path


def cameras_of(database: Path) -> dict[str, pycolmap.Camera]:
    with pycolmap.Database.open(database) as opened:
        cameras = {camera.camera_id: camera for camera in opened.read_all_cameras()}
        return {image.name: cameras[image.camera_id] for image in opened.read_all_images()}


def test_focal_lengths_are_forgotten_in_the_copy_alone(database: Path, tmp_path: Path) -> None:
    copy = cameras_of(forget_focal_lengths(database, tmp_path / "copy.db", seed=0))
    assert {camera.has_prior_focal_length for camera in copy.values()} == {False}
    assert [camera.mean_focal_length() for camera in copy.values()] == pytest.approx([120] * len(NAMES))
    assert [camera.mean_focal_length() for camera in cameras_of(database).values()] == [90] * len(NAMES)


def test_the_photos_of_each_group_share_a_camera_and_keep_their_matches(database: Path, tmp_path: Path) -> None:
    groups = [[NAMES[3], NAMES[0]], [NAMES[1]], [NAMES[2]]]
    copy = share_cameras(database, tmp_path / "images", tmp_path / "copy.db", groups, [70.0, None, None], seed=0)
    cameras = cameras_of(copy)
    assert cameras[NAMES[3]].camera_id == cameras[NAMES[0]].camera_id
    assert len({camera.camera_id for camera in cameras.values()}) == len(groups)
    assert cameras[NAMES[0]].mean_focal_length() == 70
    assert cameras[NAMES[1]].mean_focal_length() == pytest.approx(120)
    with pycolmap.Database.open(copy) as opened, pycolmap.Database.open(database) as old:
        ids, before = ({image.name: image.image_id for image in each.read_all_images()} for each in (opened, old))
        for name in NAMES:
            assert opened.read_keypoints(ids[name])[0, 0] == before[name]
        assert opened.read_matches(ids[NAMES[2]], ids[NAMES[3]]).tolist() == [[0, 4], [1, 3]]
