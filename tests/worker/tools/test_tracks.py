"""Tracks are what a model sees, in an order that is kept."""

from pathlib import Path

import numpy as np
import pycolmap

from recon_worker.tools.tracks import Tracks, observations


def model() -> pycolmap.Reconstruction:
    """A scene of five photos, without noise, that pycolmap makes up: the same one each time."""
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig, options.num_points3D = 1, 1, 5, 40
    options.camera_model_id, options.camera_params = pycolmap.CameraModelId.SIMPLE_RADIAL, [1280, 512, 384, 0.05]
    return pycolmap.synthesize_dataset(options)


def test_points_are_where_they_are_seen() -> None:
    tracks = Tracks.of(model())
    assert tracks.intrinsics.shape == (5, 4)
    assert tracks.xyz.shape == (40, 3)
    own = np.einsum("mij,mj->mi", tracks.rotations[tracks.cameras], tracks.xyz[tracks.points])
    own += tracks.translations[tracks.cameras]
    flat = own[:, :2] / own[:, 2:]
    focal, x, y, radial = tracks.intrinsics[tracks.cameras].T
    seen = flat * (focal * (1 + radial * np.square(flat).sum(1)))[:, None] + np.stack((x, y), axis=1)
    assert np.abs(seen - tracks.places).max() < 1e-6


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    tracks = Tracks.of(model())
    tracks.save(tmp_path / "tracks.npz")
    read = Tracks.load(tmp_path / "tracks.npz")
    assert all(np.array_equal(values, getattr(read, name)) for name, values in vars(tracks).items())


def test_observations_are_in_the_order_of_the_tracks() -> None:
    made, tracks = model(), Tracks.of(model())
    places = [made.image(image).points2D[feature].xy for image, feature, _ in observations(made)]
    assert np.array_equal(np.array(places), tracks.places)
