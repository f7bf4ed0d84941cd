"""How far placed cameras are from the true ones."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from pydantic import BaseModel, ConfigDict

from recon_dev.ground_truth.alignment import Array, Similarity
from recon_dev.ground_truth.cameras import TrueCamera
from recon_worker.geometry.cameras import PlacedCamera

AUC_LIMIT_DEG = 3.0


class PoseScore(BaseModel):
    """Errors of the cameras after alignment."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    photos: int
    """Photos with a true camera."""
    placed: int
    """Those of them that were placed; the errors below but the last are of these alone."""
    centre_rmse_percent: float
    """Root mean square error of the centres, of the rig's extent: the greatest distance between two true centres."""
    rotation_mean_deg: float
    """Mean angle between placed and true orientation."""
    auc_3deg: float
    """Area under the curve of recall over the error of relative poses, 0 to 3 degrees, in percent; over all pairs of photos.

    A pair's error is the larger of the angles between true and estimated relative rotation and direction of translation; a
    pair with a photo that was not placed has none (Jin et al., "Image Matching across Wide Baselines", IJCV 2021).
    """


def score_poses(placed: Sequence[PlacedCamera], truth: Sequence[TrueCamera], similarity: Similarity) -> PoseScore:
    """Compare cameras by name, with `similarity` from the reconstruction's frame to the truth's."""
    estimates = {camera.name: camera for camera in placed}
    common = [(estimates[true.name], true) for true in truth if true.name in estimates]
    moved = similarity.apply(np.array([estimate.centre() for estimate, _ in common]))
    centres = np.array([true.centre for true in truth])
    errors = np.linalg.norm(moved - np.array([true.centre for _, true in common]), axis=1)
    turns = [_angle_deg(_turned(estimate, similarity) @ true.R.T) for estimate, true in common]
    extent = np.linalg.norm(centres[:, None] - centres[None], axis=2).max()
    return PoseScore(
        photos=len(truth),
        placed=len(common),
        centre_rmse_percent=float(100 * np.sqrt(np.square(errors).mean()) / extent),
        rotation_mean_deg=float(np.mean(turns)),
        auc_3deg=_auc([_pair_error_deg(a, b) for a, b in combinations(common, 2)], len(truth)),
    )


def _turned(estimate: PlacedCamera, similarity: Similarity) -> Array:
    """Return the estimate's rotation (3, 3) from the truth's axes to its camera's."""
    turned: Array = estimate.rotation() @ similarity.rotation.T
    return turned


Pair = tuple[PlacedCamera, TrueCamera]


def _pair_error_deg(first: Pair, second: Pair) -> float:
    """Return the error of the second camera's pose relative to the first's, which needs no alignment."""
    (estimate_a, true_a), (estimate_b, true_b) = first, second
    turn = estimate_b.rotation() @ estimate_a.rotation().T
    true_turn = true_b.R @ true_a.R.T
    direction = estimate_a.rotation() @ (estimate_b.centre() - estimate_a.centre())
    true_direction = true_a.R @ (true_b.centre - true_a.centre)
    return max(_angle_deg(turn @ true_turn.T), _angle_between_deg(direction, true_direction))


def _auc(errors_deg: list[float], photos: int) -> float:
    """Return the exact area under the recall curve up to the limit, in percent, over all pairs of so many photos."""
    gains = np.maximum(1 - np.array(errors_deg) / AUC_LIMIT_DEG, 0)
    return float(100 * gains.sum() / max(photos * (photos - 1) // 2, 1))


def _angle_deg(rotation: Array) -> float:
    """Return the angle of a rotation (3, 3); the sine's form is exact for small angles, where the trace's is not."""
    skew = rotation - rotation.T
    sine = np.linalg.norm([skew[2, 1], skew[0, 2], skew[1, 0]]) / 2
    return float(np.degrees(np.arctan2(sine, (np.trace(rotation) - 1) / 2)))


def _angle_between_deg(first: Array, second: Array) -> float:
    """Return the angle between two vectors (3,) of any length."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second)))
