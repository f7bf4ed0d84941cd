"""What scenes are made of: meshes, textures, light, lens and sensor."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon_dev.ground_truth.scenes.capture import Capture, develop, save_photo
from recon_dev.ground_truth.scenes.lens import distorted, undistorted
from recon_dev.ground_truth.scenes.lighting import Lighting, Panel, Sun, bake
from recon_dev.ground_truth.scenes.meshes import box, join, panel, reveal, surface_of, turned, wall
from recon_dev.ground_truth.scenes.painters import laid
from recon_dev.ground_truth.scenes.patterns import boards, plaster, printed_cloth
from recon_dev.ground_truth.scenes.protocol import load_protocol, save_protocol
from recon_dev.ground_truth.scenes.scene import SurfacePoints
from recon_dev.ground_truth.scenes.textures import make_texture
from recon_dev.ground_truth.shape import Mesh
from recon_dev.ground_truth.surface_distance import STANDARD_PROTOCOL, SurfaceProtocol
from recon_worker.rendering.ray_casting import RayCaster

DARK = Lighting(lights=(), above=(0, 0, 0), below=(0, 0, 0), reach=1.0)


def as_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.triangles)


def test_a_box_is_closed_and_faces_outwards() -> None:
    mesh = as_trimesh(box((0, 1, 2), (2, 2, 2.5), 0.25))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(1.0)
    assert mesh.edges_unique_length.max() <= 0.25 * np.sqrt(2) + 1e-6


@pytest.mark.parametrize(
    "mesh",
    [
        pytest.param(box((0, 0, 0), (1, 2, 3), 0.5), id="box"),
        pytest.param(turned(box((0, 0, 0), (1, 2, 3), 0.5), 35, (1, 2, 3)), id="turned"),
        pytest.param(wall((-2, 2), (0, 3), ((-1, 1, 1, 2),), 0.5), id="wall"),
        pytest.param(reveal((-1, 1, 1, 2), 0.2, 0.5), id="reveal"),
    ],
)
def test_normals_are_those_of_the_triangles(mesh: Mesh) -> None:
    faces = as_trimesh(mesh).face_normals
    np.testing.assert_allclose(mesh.normals[mesh.triangles[:, 0]], faces, atol=1e-5)


def test_a_wall_has_its_openings_and_no_vertex_twice() -> None:
    mesh = wall((-2, 2), (0, 3), ((-1, 1, 1, 2), (-1, 0.5, 0, 0.75)), 0.2)
    assert as_trimesh(mesh).area == pytest.approx(4 * 3 - 2 * 1 - 1 * 0.25, abs=1e-4)
    assert len(np.unique(mesh.vertices.round(4), axis=0)) == len(mesh.vertices)
    assert (mesh.normals == [0, -1, 0]).all()


def test_a_turn_of_a_quarter_takes_what_faces_minus_y_to_plus_x() -> None:
    mesh = turned(panel((0, 0, 0), (1, 0, 0), (0, 0, 1), 1.0), 90, (5, 0, 0))
    np.testing.assert_allclose(mesh.normals[0], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices.min(axis=0), [5, 0, 0], atol=1e-6)


def test_marching_cubes_finds_a_ball_where_it_is() -> None:
    centre = np.array([0.303, -0.207, 0.501])
    mesh = surface_of(
        lambda points: (np.linalg.norm(points - centre, axis=1) - 0.4).astype(np.float32),
        (-0.2, -0.7, 0),
        (0.8, 0.3, 1),
        0.02,
    )
    assert as_trimesh(mesh).volume == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=5e-3)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices - centre, axis=1), 0.4, atol=1e-3)
    assert np.einsum("ij,ij->i", mesh.normals, mesh.vertices - centre).min() > 0.39


def test_a_texture_is_sharp_near_by_even_far_away_and_repeats() -> None:
    picture = np.zeros((16, 16, 3), dtype=np.float32)
    picture[:, ::2] = 1
    texture = make_texture(picture, texel=0.1)
    u = np.array([0.05, 0.15, 1.65, 1.75], dtype=np.float32)
    near = texture.at(u, np.zeros(4, dtype=np.float32), np.full(4, 0.05, dtype=np.float32))
    np.testing.assert_allclose(near[:, 0], [1, 0, 1, 0], atol=1e-4)
    far = texture.at(u, np.zeros(4, dtype=np.float32), np.full(4, 0.4, dtype=np.float32))
    np.testing.assert_allclose(far, 0.5, atol=1e-6)


def test_a_laid_texture_lies_along_the_side_and_takes_its_tint() -> None:
    picture = np.zeros((8, 8, 3), dtype=np.float32)
    picture[:, 4:] = 1
    paint = laid(make_texture(picture, texel=1.0), origin=(10, 0, 0), tint=(1, 0.5, 0))
    points = np.array([[12, 3, 0], [16, 3, 0]], dtype=np.float32)
    up = np.array([[0, 0, 1], [0, 0, 1]], dtype=np.float32)
    albedo = paint(SurfacePoints(points, up, np.zeros(2, dtype=np.float32))).albedo
    np.testing.assert_allclose(albedo, np.array([[0, 0, 0], [1, 0.5, 0]]), atol=1e-6)


@pytest.mark.parametrize(
    ("picture", "least", "most"),
    [
        pytest.param(plaster(256, 0.03, seed=1), 0.02, 0.045, id="plaster is almost plain"),
        pytest.param(
            printed_cloth(256, 8, ((170, 40, 46), (28, 62, 120), (226, 186, 82), (236, 226, 206)), 1),
            0.3,
            2,
            id="cloth",
        ),
        pytest.param(boards(256, 8, ((60, 40, 20), (200, 150, 100)), 1), 0.15, 1, id="boards"),
    ],
)
def test_how_much_a_pattern_varies(picture: np.ndarray, least: float, most: float) -> None:
    assert picture.shape == (256, 256, 3)
    assert picture.min() >= 0
    assert least < picture[..., 0].std() / picture[..., 0].mean() < most


def test_a_roof_casts_a_shadow_on_the_ground() -> None:
    ground, roof = panel((-2, -2, 0), (4, 0, 0), (0, 4, 0), 0.1), box((-0.5, -0.5, 1), (0.5, 0.5, 1.1), 0.5)
    mesh = join([ground, roof])
    caster = RayCaster(mesh.vertices, mesh.triangles)
    light, _ = bake(replace(DARK, lights=(Sun((0, 0, 1), 0.001, (1, 0.5, 0.25)),)), caster, mesh)
    below = (np.abs(ground.vertices[:, :2]) < 0.35).all(axis=1)
    beside = (np.abs(ground.vertices[:, :2]) > 1).any(axis=1)
    np.testing.assert_allclose(light[: len(ground.vertices)][below], 0, atol=1e-6)
    np.testing.assert_allclose(
        light[: len(ground.vertices)][beside], np.tile([1, 0.5, 0.25], (beside.sum(), 1)), rtol=1e-3
    )


def test_a_panels_light_falls_with_the_square_of_the_distance() -> None:
    mesh = join([panel((-0.05, -0.05, -z), (0.1, 0, 0), (0, 0.1, 0), 0.1) for z in (4.0, 2.0)])
    caster = RayCaster(mesh.vertices[:4] + 50, mesh.triangles[:1])
    light, _ = bake(replace(DARK, lights=(Panel((-0.1, -0.1, 0), (0.2, 0, 0), (0, 0.2, 0), (1, 1, 1)),)), caster, mesh)
    assert light[:4].mean() == pytest.approx(1 / 16, rel=0.02)
    assert light[4:].mean() == pytest.approx(1 / 4, rel=0.02)


def test_the_lens_moves_places_as_its_coefficient_says() -> None:
    places = np.array([[0.3, 0.4], [0, 0], [-0.5, 0]], dtype=np.float32)
    moved = distorted(places, -0.08)
    np.testing.assert_allclose(moved, np.array([[0.294, 0.392], [0, 0], [-0.49, 0]]), atol=1e-6)
    np.testing.assert_allclose(undistorted(moved, -0.08), places, atol=1e-6)
    np.testing.assert_allclose(undistorted(distorted(places, 0.2), 0.2), places, atol=1e-6)


GREY = np.full((40, 60, 3), 0.2, dtype=np.float32)


def test_exposure_and_white_balance_vary_between_their_limits() -> None:
    capture = Capture(focal_length_mm=35, exposure_ev=0.3, white_balance=0.06, noise=0.0)
    means = np.array([np.asarray(develop(GREY, capture, (1, n)), dtype=float).mean(axis=(0, 1)) for n in range(60)])
    linear = (means / 255) ** 2.2 / 0.2
    exposure, red = np.log2(linear[:, 1]), linear[:, 0] / linear[:, 1]
    assert -0.33 < exposure.min() < -0.2
    assert 0.2 < exposure.max() < 0.33
    assert 0.92 < red.min() < 0.97
    assert 1.03 < red.max() < 1.08


def test_the_sensor_is_as_noisy_as_said() -> None:
    photo = np.asarray(develop(GREY, Capture(focal_length_mm=35, noise=0.02), (1,)), dtype=float)
    assert photo.std() / 255 == pytest.approx(0.02, rel=0.1)


SHARP = Capture(focal_length_mm=35, noise=0.0)


@pytest.mark.parametrize(
    ("capture", "spread_px"),
    [
        pytest.param(SHARP, 0.54, id="the lens alone"),
        pytest.param(replace(SHARP, defocus_px=2.0), 1.70, id="out of focus"),
        pytest.param(replace(SHARP, motion_px=6.0), 0.70, id="moved"),
    ],
)
def test_blur_spreads_a_point_and_keeps_it_in_place(capture: Capture, spread_px: float) -> None:
    picture = np.zeros((41, 41, 3), dtype=np.float32)
    picture[20, 20] = 0.7
    photo = np.asarray(develop(picture, capture, (4,)), dtype=np.float64) / 255
    light = photo[..., 1] ** 2.2
    rows, columns = np.mgrid[:41, :41] - 20
    spread = np.sqrt((light * (rows**2 + columns**2)).sum() / light.sum())
    assert spread == pytest.approx(spread_px, abs=0.02)
    assert abs((light * columns).sum() / light.sum()) < 0.2
    assert abs((light * rows).sum() / light.sum()) < 0.2


def test_a_photo_says_its_focal_length(tmp_path: Path) -> None:
    capture = Capture(focal_length_mm=45)
    save_photo(develop(GREY, capture, (1,)), tmp_path / "a.jpg", capture)
    with Image.open(tmp_path / "a.jpg") as photo:
        assert photo.getexif().get_ifd(0x8769)[0xA405] / 36 * 60 == pytest.approx(capture.focal_px(photo.size))


def test_a_set_has_its_own_protocol_or_the_standard_one(tmp_path: Path) -> None:
    assert load_protocol(tmp_path) == STANDARD_PROTOCOL
    save_protocol(STANDARD_PROTOCOL, tmp_path)
    assert not list(tmp_path.iterdir())
    own = SurfaceProtocol(crop_margin_percent=1.0, ground_z=-3.0)
    save_protocol(own, tmp_path)
    assert load_protocol(tmp_path) == own
    (tmp_path / "protocol.json").write_text('{"samples": "many"}')
    with pytest.raises(ValueError, match="samples"):
        load_protocol(tmp_path)
