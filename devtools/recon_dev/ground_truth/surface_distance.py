"""How far a reconstructed surface is from the true one, after Knapitsch et al., "Tanks and Temples", 2017, section 5.

What counts, and what does not:

- of the truth: what at least `least_cameras` photos show. The underside, on which the object stands, is asked of nobody.
- of the reconstruction: what lies in the truth's bounding box, grown by `crop_margin_percent` on each side, and higher than
  `ground_margin_percent` above the ground. The object stands on the ground, which is as real as the object, but not part of
  the truth; nothing can be seen below it. So a reconstructed table counts neither for nor against, while anything that floats
  beside the object counts against, and so does a table that bulges by more than the margin.

Distances are percent of the diagonal of the truth's bounding box.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from recon_dev.ground_truth.cameras import TrueCamera
from recon_dev.ground_truth.sampled_surface import Array, sample_surface
from recon_dev.ground_truth.visibility import seen_triangles


@dataclass(frozen=True)
class SurfaceProtocol:
    """How surfaces are compared."""

    samples: int = 400_000
    """Points drawn from each surface."""
    thresholds_percent: tuple[float, ...] = (0.25, 0.5, 1.0)
    least_cameras: int = 3
    crop_margin_percent: float = 5.0
    ground_margin_percent: float = 0.5
    ground_z: float | None = None
    """Height of the ground in the truth's frame (z is up); the truth's lowest point where left out."""
    seed: int = 0


STANDARD_PROTOCOL = SurfaceProtocol()
"""By which published figures are made."""


class ThresholdScore(BaseModel):
    """Shares of the surfaces that lie within one threshold of each other, in percent."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    threshold_percent: float
    precision: float
    """Of the reconstruction, what lies near the truth."""
    recall: float
    """Of the truth, what lies near the reconstruction."""
    f_score: float
    """Harmonic mean of the two."""


class SurfaceScore(BaseModel):
    """Distances between two surfaces, in percent of the truth's diagonal."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    accuracy_mean_percent: float
    """From the reconstruction to the truth."""
    accuracy_median_percent: float
    completeness_mean_percent: float
    """From the truth to the reconstruction."""
    completeness_median_percent: float
    chamfer_percent: float
    """Mean of the two means."""
    thresholds: tuple[ThresholdScore, ...]
    truth_counted_percent: float
    """Share of the truth's area that counts."""
    reconstruction_counted_percent: float
    """Share of the reconstruction's area that counts."""


def score_surface(
    reconstruction: trimesh.Trimesh,
    truth: trimesh.Trimesh,
    cameras: Sequence[TrueCamera],
    protocol: SurfaceProtocol = STANDARD_PROTOCOL,
) -> SurfaceScore:
    """Compare two meshes in the truth's frame.

    Raises ValueError where nothing of the reconstruction lies near the truth.
    """
    diagonal = float(np.linalg.norm(truth.extents))
    true_samples = sample_surface(truth.vertices, truth.faces, protocol.samples, protocol.seed)
    samples = sample_surface(reconstruction.vertices, reconstruction.faces, protocol.samples, protocol.seed + 1)
    seen = seen_triangles(np.asarray(truth.vertices), truth.faces, cameras, protocol.least_cameras)
    shown = true_samples.points[seen[true_samples.triangle]]
    counted = samples.points[_counts(samples.points, truth, protocol, diagonal)]
    if not len(counted) or not len(shown):
        raise ValueError("nothing of the reconstruction lies near the truth, or no photo shows the truth")
    accuracy = 100 / diagonal * true_samples.distances_from(counted)
    completeness = 100 / diagonal * samples.distances_from(shown)
    return SurfaceScore(
        accuracy_mean_percent=float(accuracy.mean()),
        accuracy_median_percent=float(np.median(accuracy)),
        completeness_mean_percent=float(completeness.mean()),
        completeness_median_percent=float(np.median(completeness)),
        chamfer_percent=float((accuracy.mean() + completeness.mean()) / 2),
        thresholds=tuple(_within(tau, accuracy, completeness) for tau in protocol.thresholds_percent),
        truth_counted_percent=100 * len(shown) / len(true_samples.points),
        reconstruction_counted_percent=100 * len(counted) / len(samples.points),
    )


def _counts(points: Array, truth: trimesh.Trimesh, protocol: SurfaceProtocol, diagonal: float) -> NDArray[np.bool_]:
    """Return which points (n, 3) of the reconstruction, in the truth's frame, count: (n,)."""
    low, high = truth.bounds
    margin = protocol.crop_margin_percent / 100 * diagonal
    ground = low[2] if protocol.ground_z is None else protocol.ground_z
    counts: NDArray[np.bool_] = ((points > low - margin) & (points < high + margin)).all(axis=1)
    counts &= points[:, 2] > ground + protocol.ground_margin_percent / 100 * diagonal
    return counts


def _within(threshold: float, accuracy: Array, completeness: Array) -> ThresholdScore:
    """Return the shares of distances (n,) and (m,), in percent of the truth's diagonal, that are below a threshold."""
    precision, recall = float((accuracy < threshold).mean()), float((completeness < threshold).mean())
    f_score = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ThresholdScore(
        threshold_percent=threshold, precision=100 * precision, recall=100 * recall, f_score=100 * f_score
    )
