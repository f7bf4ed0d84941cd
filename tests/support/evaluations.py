"""Evaluations of reconstructions, for what shows them."""

from collections.abc import Sequence

from recon_dev.ground_truth.evaluation import Evaluation
from recon_dev.ground_truth.pose_error import PoseScore
from recon_dev.ground_truth.surface_distance import SurfaceScore, ThresholdScore


def evaluation(
    placed: int, photos: int, thresholds: Sequence[ThresholdScore], accuracy_median_percent: float = 1
) -> Evaluation:
    """Return one with the given figures and arbitrary others."""
    surface = SurfaceScore(
        accuracy_mean_percent=1,
        accuracy_median_percent=accuracy_median_percent,
        completeness_mean_percent=1,
        completeness_median_percent=1,
        chamfer_percent=1,
        thresholds=tuple(thresholds),
        truth_counted_percent=90,
        reconstruction_counted_percent=80,
    )
    poses = PoseScore(photos=photos, placed=placed, centre_rmse_percent=1, rotation_mean_deg=1, auc_3deg=90)
    return Evaluation(scale=1, poses=poses, surface=surface)
