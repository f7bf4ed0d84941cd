"""Learned matches are put beside those that are in a database."""

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from recon_worker.tools.learned_matches import LEAST_INLIERS, LearnedMatches, add_matches

SIFT = 30


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two images with features of four columns, some of them matched."""
    path = tmp_path / "features.db"
    with pycolmap.Database.open(path) as opened:
        camera = opened.write_camera(
            pycolmap.Camera(model="SIMPLE_RADIAL", width=1024, height=768, params=[1280, 512, 384, 0.0])
        )
        for name in ("a", "b"):
            image = opened.write_image(pycolmap.Image(name=name, camera_id=camera))
            opened.write_keypoints(image, np.full((SIFT, 4), 7, np.float32))
        opened.write_matches(1, 2, np.array([[0, 1], [2, 3]], np.uint32))
    return path


def learned(count: int) -> LearnedMatches:
    """As many matches of two photos, of points of a scene."""
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = 1, 1, 2, count
    made = pycolmap.synthesize_dataset(options)
    places = [
        np.array([made.image(image).points2D[element.point2D_idx].xy for point in made.points3D.values()
                  for element in point.track.elements if element.image_id == image], np.float32)
        for image in sorted(made.reg_image_ids())
    ]  # fmt: skip
    assert len(places[0]) == len(places[1]) == count
    numbers = np.arange(count, dtype=np.uint32)
    return LearnedMatches({"a": places[0], "b": places[1]}, {("a", "b"): np.stack((numbers, numbers), axis=1)})


def test_features_and_matches_follow_those_that_are_there(database: Path) -> None:
    added = learned(100)
    add_matches(database, added, seed=0)
    with pycolmap.Database.open(database) as opened:
        features, matches = opened.read_keypoints(1), opened.read_matches(1, 2)
        inliers = opened.read_two_view_geometry(1, 2).inlier_matches
    assert features.shape == (SIFT + 100, 4)
    assert np.array_equal(features[SIFT:, :2], added.places["a"])
    assert matches[:2].tolist() == [[0, 1], [2, 3]]
    assert matches[2:].min() == SIFT
    assert len(inliers) >= 95


@pytest.mark.parametrize(("count", "fits"), [(LEAST_INLIERS + 5, True), (LEAST_INLIERS - 5, False)])
def test_a_few_matches_fit_by_chance_and_do_not_count(database: Path, count: int, fits: bool) -> None:
    add_matches(database, learned(count), seed=0)
    with pycolmap.Database.open(database) as opened:
        matches = opened.read_matches(1, 2)
        assert len(matches) == 2 + (count if fits else 0)
        assert opened.exists_two_view_geometry(1, 2) is fits


def test_what_was_verified_before_stays_where_learned_matches_do_not_fit(database: Path) -> None:
    geometry = pycolmap.TwoViewGeometry()
    geometry.config = int(pycolmap.TwoViewGeometryConfiguration.CALIBRATED)
    geometry.inlier_matches = np.array([[0, 1]], np.uint32)
    with pycolmap.Database.open(database) as opened:
        opened.write_two_view_geometry(1, 2, geometry)
    add_matches(database, learned(LEAST_INLIERS - 5), seed=0)
    with pycolmap.Database.open(database) as opened:
        assert opened.read_two_view_geometry(1, 2).inlier_matches.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "matches",
    [
        pytest.param(LearnedMatches({}, {}), id="no photo"),
        pytest.param(LearnedMatches({"a": np.zeros((0, 2), np.float32)}, {}), id="a photo without features"),
        pytest.param(
            LearnedMatches(
                {"a": np.ones((3, 2), np.float32), "b": np.zeros((0, 2), np.float32), "c": np.ones((2, 2), np.float32)},
                {("a", "c"): np.array([[0, 1]], np.uint32)},
            ),
            id="three photos",
        ),
    ],
)
def test_they_are_read_as_they_were_written(tmp_path: Path, matches: LearnedMatches) -> None:
    matches.save(tmp_path / "learned.npz")
    read = LearnedMatches.load(tmp_path / "learned.npz")
    for values, expected in ((read.places, matches.places), (read.matches, matches.matches)):
        assert {key: value.tolist() for key, value in values.items()} == {
            key: value.tolist() for key, value in expected.items()
        }


def test_a_pair_without_other_matches_keeps_the_geometry_that_its_learned_matches_fit(database: Path) -> None:
    with pycolmap.Database.open(database) as opened:
        opened.delete_matches(1, 2)
    add_matches(database, learned(100), seed=0)
    with pycolmap.Database.open(database) as opened:
        matches, inliers = opened.read_matches(1, 2), opened.read_two_view_geometry(1, 2).inlier_matches
    assert matches.tolist() == [[SIFT + number, SIFT + number] for number in range(100)]
    assert len(inliers) >= 95
    assert (np.asarray(inliers) >= SIFT).all()
