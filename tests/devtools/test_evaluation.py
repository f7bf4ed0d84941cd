"""Known differences get the scores that geometry says."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from recon_dev.ground_truth.alignment import Similarity, align_by_name, umeyama
from recon_dev.ground_truth.cameras import Ring, TrueCamera, camera_at, cameras_on_rings, save_cameras
from recon_dev.ground_truth.evaluation import Evaluation, evaluate
from recon_dev.ground_truth.pose_error import score_poses
from recon_dev.ground_truth.surface_distance import SurfaceProtocol, score_surface
from recon_dev.ground_truth.visibility import seen_triangles
from recon_worker.geometry.cameras import CameraSet, PlacedCamera
from tests.support.cameras import placed

pytestmark = pytest.mark.slow

SIZE, FOCAL_PX = (320, 240), 300.0
CAMERAS = cameras_on_rings((Ring(8, 15.0, 5.0), Ring(8, -40.0, 5.0), Ring(6, 60.0, 5.0)), SIZE, FOCAL_PX, seed=0)
PROTOCOL = SurfaceProtocol(samples=10_000, ground_z=-10.0)
DIAGONAL = 2 * np.sqrt(3)
"""Of the box around a ball of radius 1."""

UNCHANGED = Similarity(1.0, np.eye(3), np.zeros(3))


def make_ball(radius: float = 1.0) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=5, radius=radius)


def make_square(side: float, centre: tuple[float, float, float]) -> trimesh.Trimesh:
    """A level square, facing up."""
    corners = side * np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]]) + centre
    return trimesh.Trimesh(corners, [[0, 1, 2], [0, 2, 3]], process=False)


def half_of(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The triangles of a mesh on the side towards +x."""
    return trimesh.Trimesh(mesh.vertices, mesh.faces[mesh.triangles_center[:, 0] > 0], process=False)


def place(true: TrueCamera, similarity: Similarity = UNCHANGED, turn_deg: float = 0.0) -> PlacedCamera:
    """The camera as a reconstruction would have it whose frame `similarity` takes to the truth's, turned about its x axis."""
    turn = Rotation.from_euler("x", turn_deg, degrees=True).as_matrix()
    rotation = turn @ true.R @ similarity.rotation
    centre = similarity.rotation.T @ (true.centre - similarity.translation) / similarity.scale
    return placed(rotation, -rotation @ centre, true.size, FOCAL_PX, true.name)


@pytest.mark.parametrize(
    "similarity",
    [
        pytest.param(UNCHANGED, id="none"),
        pytest.param(
            Similarity(3.7, Rotation.from_euler("xyz", [1, 2, 3]).as_matrix(), np.array([5, -2, 9])), id="any"
        ),
        pytest.param(
            Similarity(1e-3, Rotation.from_euler("y", np.pi).as_matrix(), np.zeros(3)), id="half a turn, tiny"
        ),
    ],
)
def test_alignment_recovers_a_known_similarity(similarity: Similarity) -> None:
    points = {camera.name: camera.centre for camera in CAMERAS}
    found = align_by_name(points, {name: similarity.apply(point[None])[0] for name, point in points.items()})
    assert found.scale == pytest.approx(similarity.scale)
    np.testing.assert_allclose(found.rotation, similarity.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation, similarity.translation, atol=1e-9)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        pytest.param(np.eye(3)[:2], "at least 3", id="two points"),
        pytest.param(np.arange(5)[:, None] * np.ones((1, 3)), "on a line", id="points on a line"),
    ],
)
def test_alignment_refuses_what_leaves_it_open(points: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        umeyama(points, points)


def test_perfect_cameras_in_another_frame_have_no_error() -> None:
    similarity = Similarity(0.2, Rotation.from_euler("xyz", [1, 2, 3]).as_matrix(), np.array([1.0, 2, 3]))
    score = score_poses([place(camera, similarity) for camera in CAMERAS], CAMERAS, similarity)
    assert (score.placed, score.photos) == (22, 22)
    assert score.centre_rmse_percent == pytest.approx(0, abs=1e-9)
    assert score.rotation_mean_deg == pytest.approx(0, abs=1e-9)
    assert score.auc_3deg == pytest.approx(100)


def test_turned_and_missing_cameras_cost_what_they_should() -> None:
    placed = [place(camera) for camera in CAMERAS[:-2]]
    placed[0] = place(CAMERAS[0], turn_deg=1.5)
    score = score_poses(placed, CAMERAS, UNCHANGED)
    assert (score.placed, score.photos) == (20, 22)
    assert score.rotation_mean_deg == pytest.approx(1.5 / 20)
    # Of 22 * 21 / 2 = 231 pairs, 19 * 18 / 2 = 171 are right, 19 are 1.5 degrees off (half their worth), 41 are missing.
    assert score.auc_3deg == pytest.approx(100 * (171 + 19 * 0.5) / 231, abs=0.01)


@pytest.mark.parametrize(
    ("radius", "expected_percent", "f_scores"),
    [
        pytest.param(1.0, 0.0, [100, 100, 100], id="the truth itself"),
        pytest.param(1.01, 1 / DIAGONAL, [0, 100, 100], id="one percent larger"),
        pytest.param(0.98, 2 / DIAGONAL, [0, 0, 100], id="two percent smaller"),
    ],
)
def test_a_ball_of_another_size_is_as_far_off_as_its_radius(
    radius: float, expected_percent: float, f_scores: list[float]
) -> None:
    score = score_surface(make_ball(radius), make_ball(), CAMERAS, PROTOCOL)
    for measured in (score.accuracy_median_percent, score.completeness_median_percent, score.chamfer_percent):
        assert measured == pytest.approx(expected_percent, abs=0.01)
    assert [threshold.f_score for threshold in score.thresholds] == pytest.approx(f_scores, abs=0.1)


def test_half_a_ball_has_full_precision_and_half_the_recall() -> None:
    score = score_surface(half_of(make_ball()), make_ball(), CAMERAS, PROTOCOL)
    strictest = score.thresholds[0]
    assert strictest.precision == pytest.approx(100, abs=0.1)
    assert strictest.recall == pytest.approx(50, abs=1.5)
    assert strictest.f_score == pytest.approx(200 / 3, abs=1.5)


@pytest.mark.parametrize(
    ("square", "precision"),
    [
        pytest.param(make_square(6.0, (0, 0, -1.0)), 100, id="a table under the object does not count"),
        pytest.param(make_square(0.4, (0.9, 0.9, 0.6)), 100 * 4 / (4 + 0.16 / np.pi), id="what floats beside it does"),
        pytest.param(make_square(0.5, (3.0, 0, 0)), 100, id="what is far away does not"),
    ],
)
def test_what_counts_against_a_reconstruction(square: trimesh.Trimesh, precision: float) -> None:
    protocol = SurfaceProtocol(samples=30_000, ground_z=-1.0)
    reconstruction = trimesh.util.concatenate([make_ball(), square])
    score = score_surface(reconstruction, make_ball(), CAMERAS, protocol)
    assert score.thresholds[-1].precision == pytest.approx(precision, abs=0.5)


def test_the_truth_itself_in_another_frame_is_perfect(tmp_path: Path) -> None:
    similarity = Similarity(2.5, Rotation.from_euler("xyz", [1, 2, 3]).as_matrix(), np.array([1.0, 2, 3]))
    make_ball().export(tmp_path / "gt.ply")
    save_cameras(CAMERAS, tmp_path / "cams.json")
    mesh = make_ball()
    mesh.vertices = (mesh.vertices - similarity.translation) @ similarity.rotation / similarity.scale
    mesh.export(tmp_path / "mesh.glb")
    CameraSet(cameras=tuple(place(camera, similarity) for camera in CAMERAS)).save(tmp_path)
    result = evaluate(tmp_path, tmp_path / "mesh.glb", tmp_path / "cameras.json", PROTOCOL)
    assert result.scale == pytest.approx(2.5)
    assert result.poses.rotation_mean_deg < 1e-6
    assert result.surface.thresholds[0].f_score == pytest.approx(100, abs=0.1)
    assert Evaluation.model_validate_json(result.model_dump_json()) == result


def test_a_reconstruction_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="near the truth"):
        score_surface(make_ball().apply_translation((50, 0, 0)), make_ball(), CAMERAS, PROTOCOL)


@pytest.mark.parametrize("distance", [1.5, 3.0])
@pytest.mark.parametrize("inside_out", [False, True], ids=["", "whichever way its triangles face"])
def test_a_camera_sees_the_cap_of_a_ball_that_geometry_says(distance: float, inside_out: bool) -> None:
    camera = camera_at("a.jpg", np.array([distance, 0.0, 1e-3]), np.zeros(3), SIZE, 100.0)
    ball = make_ball()
    seen = seen_triangles(ball.vertices, ball.faces[:, ::-1] if inside_out else ball.faces, [camera], 1)
    # Of a ball of radius r, a camera at distance d sees all that lies further than r²/d towards it.
    assert ball.area_faces[seen].sum() / ball.area == pytest.approx((1 - 1 / distance) / 2, abs=0.01)
