"""Cameras follow where features were found."""

from pathlib import Path

import numpy as np
import pycolmap
import pytest

from recon_worker.tools.adjust_cameras import adjust_cameras
from recon_worker.tools.placement_requests import AdjustmentRequest
from recon_worker.tools.tracks import Tracks, observations
from tests.worker.tools.test_tracks import model


def request(folder: Path, exact: Tracks, kept: np.ndarray) -> AdjustmentRequest:
    """Ask for features to be moved to where a scene has them, of a model whose features and cameras are a pixel off."""
    noisy, random = model(), np.random.default_rng(0)
    for image, feature, _ in observations(noisy):
        point = noisy.image(image).points2D[feature]
        point.xy = point.xy + random.normal(0, 1, 2)
    options = pycolmap.BundleAdjustmentOptions()
    options.print_summary = False
    pycolmap.bundle_adjustment(noisy, options)
    (folder / "model").mkdir()
    noisy.write_binary(folder / "model")
    np.savez(folder / "moved.npz", places=exact.places, kept=kept)
    return AdjustmentRequest(model=folder / "model", moved=folder / "moved.npz")


def test_exact_features_give_exact_cameras(tmp_path: Path) -> None:
    exact = Tracks.of(model())
    report = adjust_cameras(request(tmp_path, exact, np.ones(len(exact.places), dtype=bool)))
    assert report == {"points": 40, "reprojection_error_px": pytest.approx(0.0, abs=0.005)}
    found = Tracks.of(pycolmap.Reconstruction(tmp_path / "model"))
    assert found.intrinsics[:, 0] == pytest.approx(1280, rel=1e-3)


def test_features_that_were_not_found_are_gone(tmp_path: Path) -> None:
    exact = Tracks.of(model())
    kept = exact.points != 7
    kept &= (exact.cameras != 0) | (exact.points % 2 == 0)
    report = adjust_cameras(request(tmp_path, exact, kept))
    assert report["points"] == 39
    found = Tracks.of(pycolmap.Reconstruction(tmp_path / "model"))
    assert len(found.places) == kept.sum()


def test_a_feature_that_fits_nothing_is_dropped(tmp_path: Path) -> None:
    exact = Tracks.of(model())
    exact.places[3] += 30
    adjust_cameras(request(tmp_path, exact, np.ones(len(exact.places), dtype=bool)))
    assert len(Tracks.of(pycolmap.Reconstruction(tmp_path / "model")).places) == len(exact.places) - 1
