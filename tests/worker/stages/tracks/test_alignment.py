"""Observations of a patterned plane, seen from all around, move to where it shows the same."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from recon_worker.progress import Progress
from recon_worker.stages.tracks import alignment
from recon_worker.stages.tracks.alignment import MovedTracks, align_tracks
from recon_worker.tools.tracks import Tracks
from tests.support.cameras import looking

Array = npt.NDArray[np.float64]

SIZE = 320
INTRINSICS = np.array([400.0, 160.0, 160.0, -0.08])
CAMERAS = 4
NOISE_PX = 0.8


def pattern(xy: Array) -> Array:
    """Luminance, 0 to 255, of the plane z = 0 at (..., 2)."""
    waves = np.array([[31.0, 12.0], [-17.0, 29.0], [44.0, -38.0], [5.0, 51.0], [-61.0, -23.0]])
    return np.asarray(128 + 22 * np.sin(xy @ waves.T + [0.3, 1.9, 4.1, 2.7, 5.0]).sum(-1))


def plane_of(tracks: Tracks, camera: int, places: Array) -> Array:
    """Where rays through (..., 2) pixels of a camera meet the plane z = 0: (..., 2)."""
    focal, x, y, radial = tracks.intrinsics[camera]
    distorted = (places - (x, y)) / focal
    flat = distorted
    for _ in range(30):
        flat = distorted / (1 + radial * np.square(flat).sum(-1, keepdims=True))
    rays = np.concatenate((flat, np.ones((*flat.shape[:-1], 1))), axis=-1) @ tracks.rotations[camera]
    eye = -tracks.rotations[camera].T @ tracks.translations[camera]
    return np.asarray(eye[:2] - eye[2] * rays[..., :2] / rays[..., 2:])


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tracks, Path]:
    """Tracks with exact places, and the folder of their photos."""
    folder = tmp_path_factory.mktemp("plane")
    eyes = [np.array([0.5 * np.cos(a), 0.5 * np.sin(a), 1.2]) for a in 2 * np.pi * np.arange(CAMERAS) / CAMERAS]
    rotations = np.array([looking(eye, np.zeros(3), np.array([0.1, 1.0, 0.0])) for eye in eyes])
    xy = np.random.default_rng(0).uniform(-0.2, 0.2, (60, 2))
    tracks = Tracks(
        names=np.array([f"{camera}.png" for camera in range(CAMERAS)]),
        intrinsics=np.tile(INTRINSICS, (CAMERAS, 1)),
        rotations=rotations,
        translations=np.array([-rotation @ eye for rotation, eye in zip(rotations, eyes, strict=True)]),
        xyz=np.concatenate((xy, np.zeros((len(xy), 1))), axis=1),
        cameras=np.repeat(np.arange(CAMERAS), len(xy)),
        points=np.tile(np.arange(len(xy)), CAMERAS),
        places=np.zeros((CAMERAS * len(xy), 2)),
    )
    for camera in range(CAMERAS):
        tracks.places[tracks.cameras == camera] = alignment._project(tracks, camera, tracks.xyz)
        rows, columns = np.mgrid[0:SIZE, 0:SIZE] + 0.5
        seen = pattern(plane_of(tracks, camera, np.stack((columns, rows), axis=-1)))
        Image.fromarray(seen.clip(0, 255).astype(np.uint8)).save(folder / f"{camera}.png")
    return tracks, folder


def with_noise(tracks: Tracks) -> Tracks:
    noise = np.random.default_rng(1).normal(0, NOISE_PX, tracks.places.shape)
    return Tracks(**{**vars(tracks), "places": tracks.places + noise})


def spread(tracks: Tracks, moved: MovedTracks) -> Array:
    """How far apart the kept observations of each point are on the plane, in pixels."""
    on_plane = np.concatenate(
        [plane_of(tracks, camera, moved.places[tracks.cameras == camera]) for camera in range(CAMERAS)]
    )
    return np.array(
        [
            400 / 1.3 * np.ptp(on_plane[(tracks.points == point) & moved.kept], axis=0).max()
            for point in range(len(tracks.xyz))
        ]
    )


def test_observations_of_a_point_come_together(plane: tuple[Tracks, Path]) -> None:
    tracks, folder = plane
    noisy = with_noise(tracks)
    moved = align_tracks(noisy, folder, Progress.silent())
    assert moved.share > 0.9
    before = MovedTracks(noisy.places, np.ones(len(noisy.places), dtype=bool))
    assert np.median(spread(tracks, before)) > 1.0
    assert np.median(spread(tracks, moved)) < 0.15


def test_what_is_not_found_is_dropped(plane: tuple[Tracks, Path], tmp_path: Path) -> None:
    tracks, folder = plane
    for camera in range(1, CAMERAS):
        (tmp_path / f"{camera}.png").symlink_to(folder / f"{camera}.png")
    with Image.open(folder / "0.png") as photo:  # half of it is covered
        covered = photo.copy()
    covered.paste(128, (0, 0, SIZE // 2, SIZE))
    covered.save(tmp_path / "0.png")
    moved = align_tracks(with_noise(tracks), tmp_path, Progress.silent())
    hidden = (tracks.cameras == 0) & (tracks.places[:, 0] < SIZE / 2 - 10)
    fronts = alignment._Surfaces.of(with_noise(tracks)).front
    hidden[fronts] = False
    assert hidden.sum() > 5
    assert not moved.kept[hidden].any()


def test_a_photo_in_which_hardly_anything_is_found_keeps_its_observations(
    plane: tuple[Tracks, Path], tmp_path: Path
) -> None:
    tracks, folder = plane
    for camera in range(1, CAMERAS):
        (tmp_path / f"{camera}.png").symlink_to(folder / f"{camera}.png")
    Image.new("L", (SIZE, SIZE), 128).save(tmp_path / "0.png")
    noisy = with_noise(tracks)
    moved = align_tracks(noisy, tmp_path, Progress.silent())
    of_plain = tracks.cameras == 0
    assert moved.kept[of_plain].all()
    assert np.array_equal(moved.places[of_plain], noisy.places[of_plain])
