"""Each photo set of a known scene shows what its truth says."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon_dev.ground_truth.cameras import TrueCamera, load_cameras
from recon_dev.ground_truth.evaluation import evaluate
from recon_dev.ground_truth.scenes.capture import develop
from recon_dev.ground_truth.scenes.lens import distorted
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.protocol import load_protocol
from recon_dev.ground_truth.scenes.rendering import rays, render
from recon_dev.ground_truth.scenes.scene import LitScene, SurfacePoints, light_scene
from recon_dev.ground_truth.scenes.sets import SCENE_SETS, render_scene_set
from recon_dev.ground_truth.visibility import seen_triangles
from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from recon_worker.rendering.arrays import floats
from tests.support.photo_sets import smaller

pytestmark = pytest.mark.slow

each_set = pytest.mark.parametrize("name", list(SCENE_SETS))


@cache
def small(name: str) -> tuple[SceneSet, LitScene]:
    """A set an eighth as fine, with its light; flat walls have fewer vertices than others to begin with."""
    spec = replace(smaller(SCENE_SETS[name], 8), coarseness=4 if name in {"facade", "room"} else 8)
    return spec, light_scene(spec.scene())


def photo_bytes(spec: SceneSet, lit: LitScene, number: int) -> bytes:
    picture = render(lit, spec.cameras()[number], spec.capture.k1)
    return develop(picture, spec.capture, (spec.seed, number)).tobytes()


def pixel_middles(camera: TrueCamera) -> np.ndarray:
    width, height = camera.size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "photos", "least", "most"),
    [
        pytest.param("weak", 28, 0.10, 0.60, id="weak"),
        pytest.param("glazed", 26, 0.10, 0.60, id="glazed"),
        pytest.param("thin", 30, 0.02, 0.25, id="thin"),
        pytest.param("facade", 11, 0.25, 0.75, id="facade"),
        pytest.param("room", 40, 0.55, 1.00, id="room: the window is a hole"),
    ],
)
def test_the_truth_covers_a_sensible_share_of_every_photo(name: str, photos: int, least: float, most: float) -> None:
    spec, lit = small(name)
    is_truth = np.array([part.is_truth for part in lit.scene.parts])
    cameras = spec.cameras()
    assert len(cameras) == photos
    for camera in cameras:
        directions = rays(camera, spec.capture.k1, pixel_middles(camera))
        hits = lit.caster.cast(np.broadcast_to(camera.centre, directions.shape), directions)
        share = is_truth[lit.part[hits.triangle[hits.mask]]].sum() / len(directions)
        assert least < share <= most, camera.name


@pytest.mark.parametrize("name", ["weak", "glazed", "thin"])
def test_no_photo_cuts_the_object_off(name: str) -> None:
    spec, lit = small(name)
    truth = lit.scene.truth().vertices
    for camera in spec.cameras():
        seen = truth @ camera.R.T + camera.t
        shown = distorted(floats(seen[:, :2] / seen[:, 2:]), spec.capture.k1) * camera.K[0, 0] + camera.K[:2, 2]
        assert (shown > 0).all()
        assert (shown < camera.size).all()


@each_set
def test_a_ray_through_a_visible_true_vertex_meets_it(name: str) -> None:
    spec, lit = small(name)
    truth, camera = lit.scene.truth(), spec.cameras()[0]
    visible = np.unique(truth.triangles[seen_triangles(truth.vertices, truth.triangles, [camera], 1)])
    # Other parts, which are no truth, may stand before it, and a silhouette's vertex may be missed by rounding.
    expected = (truth.vertices @ camera.R.T + camera.t)[visible]
    shown = distorted(floats(expected[:, :2] / expected[:, 2:]), spec.capture.k1) * camera.K[0, 0] + camera.K[:2, 2]
    directions = rays(camera, spec.capture.k1, shown.astype(np.float32))
    hits = lit.caster.cast(np.broadcast_to(camera.centre, directions.shape), directions)
    assert len(visible) > 50
    assert np.mean(np.abs(hits.distance / expected[:, 2] - 1) < 1e-5) > 0.85


@each_set
def test_the_same_set_gives_the_same_photo_and_no_two_are_alike(name: str) -> None:
    spec = smaller(SCENE_SETS[name], 16)
    scenes = [light_scene(spec.scene()) for _ in range(2)]
    first, again = (photo_bytes(spec, lit, 1) for lit in scenes)
    assert first == again
    assert first != photo_bytes(spec, scenes[0], 2)


@each_set
def test_photos_are_neither_dark_nor_blown_out_and_show_detail(name: str) -> None:
    spec, lit = small(name)
    camera = spec.cameras()[2]
    pixels = np.asarray(develop(render(lit, camera, spec.capture.k1), replace(spec.capture, noise=0.0), (0,)))
    assert 70 < pixels.mean() < 200
    assert (pixels.min(axis=2) > 253).mean() < 0.35
    assert pixels.std() > 20


def test_the_weak_set_has_albedo_that_varies_by_three_percent() -> None:
    _, lit = small("weak")
    part = lit.scene.parts[0]
    albedo = part.painter(
        SurfacePoints(part.mesh.vertices, part.mesh.normals, np.zeros(len(part.mesh.vertices), dtype=np.float32))
    ).albedo
    assert albedo.std(axis=0) / albedo.mean(axis=0) == pytest.approx(0.03, abs=0.01)


def test_a_lens_that_distorts_shows_the_pinholes_picture_moved() -> None:
    spec, lit = small("thin")
    camera = spec.cameras()[0]
    pinhole, lens = render(lit, camera, 0.0), render(lit, camera, -0.3)
    middles = pixel_middles(camera)
    moved = distorted((middles - camera.K[:2, 2]) / camera.K[0, 0], -0.3) * camera.K[0, 0] + camera.K[:2, 2]
    columns, rows = moved.astype(int).T
    assert np.abs(moved - middles).max() > 5
    here = np.abs(lens[rows, columns] - pinhole.reshape(-1, 3)).mean()
    assert here < 0.5 * np.abs(lens - pinhole).mean()


@pytest.mark.parametrize("name", ["weak", "facade", "room"])
def test_a_written_set_calls_its_own_truth_perfect(name: str, tmp_path: Path) -> None:
    coarse = smaller(SCENE_SETS[name], 16)
    spec = replace(coarse, coarseness=6, viewpoints=lambda *_: coarse.cameras()[:8])
    progress: list[float] = []
    render_scene_set(tmp_path, spec, on_progress=progress.append)
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1)
    cameras = load_cameras(tmp_path / "cams.json")
    assert [camera.name for camera in cameras] == sorted(file.name for file in (tmp_path / "images").iterdir())
    with Image.open(tmp_path / "images" / cameras[0].name) as photo:
        assert photo.size == cameras[0].size == spec.size
    CameraSet(cameras=tuple(placed(camera) for camera in cameras)).save(tmp_path)
    protocol = replace(load_protocol(tmp_path), samples=10_000)
    result = evaluate(tmp_path, tmp_path / "gt.ply", tmp_path / "cameras.json", protocol)
    assert result.surface.thresholds[-1].f_score > 98.5
    assert result.surface.reconstruction_counted_percent > 99 or name == "weak"
    assert result.surface.truth_counted_percent > (1 if name == "room" else 20)


def test_the_floor_of_the_room_and_the_pavement_count() -> None:
    for name in ("room", "facade"):
        protocol = SCENE_SETS[name].protocol
        lowest = small(name)[1].scene.truth().vertices[:, 2].min()
        assert protocol.ground_z is not None
        assert protocol.ground_z < lowest - 0.1


def placed(camera: TrueCamera) -> PlacedCamera:
    width, height = camera.size
    return PlacedCamera(
        name=camera.name,
        file=camera.name,
        width=width,
        height=height,
        fx=camera.K[0, 0],
        fy=camera.K[1, 1],
        cx=camera.K[0, 2],
        cy=camera.K[1, 2],
        R=camera.R.tolist(),
        t=camera.t.tolist(),
    )


def test_the_truth_file_has_the_colours_of_the_paint(tmp_path: Path) -> None:
    facade = smaller(SCENE_SETS["facade"], 16)
    spec = replace(facade, viewpoints=lambda *_: facade.cameras()[:1])
    render_scene_set(tmp_path, spec)
    truth = trimesh.load_mesh(tmp_path / "gt.ply", process=False)
    red, _, blue, _ = truth.visual.vertex_colors.mean(axis=0)
    assert red > blue + 10, "the walls are yellow"
