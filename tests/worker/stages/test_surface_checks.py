"""A mesh of what the photos show, and meshes that show something else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon_api.errors import UsageError
from recon_worker.geometry.cameras import PlacedCamera
from recon_worker.geometry.ply import Surface
from recon_worker.stages.estimate_poses import SparsePoints
from recon_worker.stages.surface_checks import SurfaceEvidence, compare, require_measured
from tests.support.cameras import placed

WIDTH, HEIGHT, FOCAL_PX, DISTANCE = 160, 120, 160.0, 4.0
GRID = 60


def colour_at(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The pattern of the wall, 0 to 255."""
    return np.asarray(128 + 60 * np.sin(6 * x) + 60 * np.sin(5 * y + 2 * x))


def wall(*, depth: float = 0.0, size: float = 1.0, colours: str = "true") -> Surface:
    """A square wall in the plane z = depth, of a side of twice the size."""
    side = np.linspace(-size, size, GRID)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    shown = {
        "true": colour_at(x, y),
        "other": np.random.default_rng(0).uniform(0, 255, len(x)),
        "plain": np.full(len(x), 128.0),
    }[colours]
    corner = (np.arange(GRID - 1)[:, None] * GRID + np.arange(GRID - 1)).ravel()
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + GRID], 1), np.stack([corner + 1, corner + GRID + 1, corner + GRID], 1)]
    )
    xyz = np.stack([x, y, np.full(len(x), depth)], axis=1).astype(np.float32)
    rgb = np.repeat(shown[:, None], 3, axis=1).astype(np.uint8)
    return Surface(xyz, np.tile(np.array([0, 0, -1], np.float32), (len(x), 1)), rgb, faces.astype(np.int32))


@pytest.fixture
def photos(tmp_path: Path) -> list[PlacedCamera]:
    """Photos of the wall from three places in front of it."""
    (tmp_path / "images").mkdir()
    cameras = []
    for number, x in enumerate((-0.5, 0.0, 0.5)):
        column, row = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
        at_x, at_y = (column - WIDTH / 2) * DISTANCE / FOCAL_PX + x, (row - HEIGHT / 2) * DISTANCE / FOCAL_PX
        picture = np.where((abs(at_x) < 1) & (abs(at_y) < 1), colour_at(at_x, at_y), 20).astype(np.uint8)
        Image.fromarray(picture).convert("RGB").save(tmp_path / "images" / f"{number}.png")
        cameras.append(placed(np.eye(3), np.array([-x, 0.0, DISTANCE]), (WIDTH, HEIGHT), FOCAL_PX, name=str(number)))
    return cameras


def sparse() -> SparsePoints:
    """Points on the wall that all three photos show, and one that only two do, behind it."""
    xy = np.random.default_rng(1).uniform(-0.9, 0.9, (50, 2))
    xyz = np.concatenate([np.column_stack([xy, np.zeros(50)]), [[0, 0, 9]]]).astype(np.float32)
    tracks = [(point, view) for point in range(50) for view in range(3)] + [(50, 0), (50, 1)]
    return SparsePoints(xyz, np.zeros((51, 3), np.uint8), np.array(tracks, np.int32))


def evidence(surface: Surface, photos: list[PlacedCamera], folder: Path) -> SurfaceEvidence:
    return compare(surface, photos, sparse(), folder, lambda: None)


def test_a_mesh_of_what_the_photos_show_is_taken(photos: list[PlacedCamera], tmp_path: Path) -> None:
    found = evidence(wall(), photos, tmp_path)
    assert found.explained == 1.0
    assert found.covered == pytest.approx(80 * 80 / (WIDTH * HEIGHT), rel=0.05)
    assert found.agreement > 0.95
    require_measured(found)


@pytest.mark.parametrize(
    ("surface", "words"),
    [
        pytest.param(wall(size=0.03), "covers hardly anything of any photo", id="a speck"),
        pytest.param(wall(depth=2.0), "holds hardly any of the points", id="elsewhere"),
        pytest.param(wall(colours="other"), "looks like none of the photos", id="of other colours"),
    ],
)
def test_debris_is_refused(surface: Surface, words: str, photos: list[PlacedCamera], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        require_measured(evidence(surface, photos, tmp_path))
    assert refused.value.reason.name == "SurfaceNotMeasured"


def test_a_plain_surface_in_a_plain_photo_agrees(photos: list[PlacedCamera], tmp_path: Path) -> None:
    for photo in photos:
        Image.new("RGB", (WIDTH, HEIGHT), (128, 128, 128)).save(tmp_path / photo.file)
    require_measured(evidence(wall(colours="plain"), photos, tmp_path))
