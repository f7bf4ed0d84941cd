"""The photo set of known shape is what it says it is."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon_dev.ground_truth.cameras import Ring, load_cameras
from recon_dev.ground_truth.photos import PhotoSetSpec, render_photo_set
from recon_dev.ground_truth.shape import GROUND_Z, distance_to_object, make_shape
from recon_dev.ground_truth.visibility import seen_triangles

pytestmark = pytest.mark.slow

TINY = PhotoSetSpec(rings=(Ring(3, 30.0, 3.4),), width_px=96, height_px=72, shape_cells=48, ground_cells=128)

FEW = PhotoSetSpec(
    rings=(Ring(4, 16.0, 3.4), Ring(3, 44.0, 3.4)), width_px=240, height_px=180, shape_cells=88, ground_cells=384
)


@pytest.fixture(scope="module")
def photo_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    render_photo_set(folder, FEW)
    return folder


def test_the_shape_is_one_closed_surface_on_the_zero_set_of_its_distance() -> None:
    shape = make_shape(96)
    mesh = trimesh.Trimesh(shape.vertices, shape.triangles, process=False)
    assert mesh.is_watertight
    assert mesh.body_count == 1
    assert mesh.volume > 0
    assert mesh.bounds[0, 2] == pytest.approx(GROUND_Z, abs=1e-3), "it stands on the ground"
    assert np.abs(distance_to_object(shape.vertices)).max() < 0.01


def test_every_photo_has_its_camera_and_says_its_focal_length(photo_set: Path) -> None:
    cameras = load_cameras(photo_set / "cams.json")
    photos = sorted((photo_set / "images").iterdir())
    assert [camera.name for camera in cameras] == [photo.name for photo in photos]
    for camera, file in zip(cameras, photos, strict=True):
        with Image.open(file) as photo:
            assert photo.size == camera.size == (240, 180)
            film_mm = photo.getexif().get_ifd(0x8769)[0xA405]
            assert film_mm / 36 * 240 == pytest.approx(camera.K[0, 0])


def test_true_points_are_where_their_colour_is_in_the_photo_and_not_three_pixels_off(photo_set: Path) -> None:
    truth = trimesh.load_mesh(photo_set / "gt.ply", process=False)
    for camera in load_cameras(photo_set / "cams.json")[::3]:
        seen = seen_triangles(truth.vertices, truth.faces, [camera], 1)
        vertices = np.unique(truth.faces[seen])
        projected = (truth.vertices[vertices] @ camera.R.T + camera.t) @ camera.K.T
        places = (projected[:, :2] / projected[:, 2:]).astype(int)
        photo = np.asarray(Image.open(photo_set / "images" / camera.name), dtype=float)
        true_colour = truth.visual.vertex_colors[vertices, :3].astype(float)
        here, *elsewhere = (agreement(photo, places + shift, true_colour) for shift in SHIFTS)
        assert here > 0.5
        assert here > max(elsewhere) + 0.02


SHIFTS = ((0, 0), (3, 0), (-3, 0), (0, 3), (0, -3))


def agreement(photo: np.ndarray, places: np.ndarray, colours: np.ndarray) -> float:
    """Mean correlation of three channels between colours and the photo at places (column, row)."""
    columns, rows = places.T
    taken = photo[rows, columns]
    return float(np.mean([np.corrcoef(taken[:, channel], colours[:, channel])[0, 1] for channel in range(3)]))


def test_the_same_spec_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    specs = {"first": TINY, "again": TINY, "other": PhotoSetSpec(**(vars(TINY) | {"seed": 5}))}
    for name, spec in specs.items():
        render_photo_set(tmp_path / name, spec)
    contents = {name: [f.read_bytes() for f in sorted((tmp_path / name).rglob("*.*"))] for name in specs}
    assert contents["first"] == contents["again"]
    assert all(a != b for a, b in zip(contents["first"], contents["other"], strict=True))


def test_progress_rises_to_one_and_what_it_raises_ends_the_work(tmp_path: Path) -> None:
    seen: list[float] = []
    render_photo_set(tmp_path / "whole", TINY, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(_: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        render_photo_set(tmp_path / "stopped", TINY, on_progress=stop)
