"""Which views to compare a view with."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

IDEAL_ANGLE_DEG = 10.0
"""Triangulation angle at which depth is well determined and photos still look alike."""

WIDEST_ANGLE_DEG = 45.0
"""Beyond this angle a small patch looks too different to be compared."""


def select_sources(
    centres: npt.NDArray[np.floating],
    xyz: npt.NDArray[np.floating],
    tracks: npt.NDArray[np.int32],
    count: int,
    check: Callable[[], None] = lambda: None,
) -> list[list[int]]:
    """Return for each camera the indices of the best `count` others, best first.

    `centres` are (n, 3) and sparse points `xyz` (p, 3), both in the world frame; `tracks` are observations (m, 2): point,
    camera. Cameras that share no points are not chosen. `check` is called all the time and may raise.
    """
    scores = pair_scores(centres, xyz, tracks, check)
    chosen = []
    for row in scores:
        order = np.argsort(-row, kind="stable")[:count]
        chosen.append([int(other) for other in order if row[other] > 0])
    return chosen


def pair_scores(
    centres: npt.NDArray[np.floating],
    xyz: npt.NDArray[np.floating],
    tracks: npt.NDArray[np.int32],
    check: Callable[[], None] = lambda: None,
) -> npt.NDArray[np.float64]:
    """Return the scores of all pairs of cameras, (n, n), symmetric; zero on the diagonal. Arguments as of `select_sources`.

    A pair scores, for each point that both see, by the angle between its two rays: best at the ideal angle, nothing beyond
    the widest one. After Yao et al., "MVSNet: Depth Inference for Unstructured Multi-view Stereo", ECCV 2018, with other
    weights; Schönberger et al., "Pixelwise View Selection for Unstructured Multi-View Stereo", ECCV 2016, give the reasons.
    """
    observed = np.unique(tracks, axis=0)  # in the order of points
    point, camera = observed.T
    rays = xyz[point].astype(np.float64) - centres[camera]
    rays /= np.maximum(np.linalg.norm(rays, axis=1, keepdims=True), 1e-12)
    scores = np.zeros((len(centres), len(centres)))
    for apart in range(1, len(observed)):
        check()
        first = np.flatnonzero(point[:-apart] == point[apart:])
        if not len(first):
            break
        second = first + apart
        cosines = np.einsum("oi,oi->o", rays[first], rays[second])
        weights = angle_weight(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))))
        np.add.at(scores, (camera[first], camera[second]), weights)
    return scores + scores.T


def angle_weight(degrees: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return how useful pairs of rays at these angles (n,), in degrees, are: (n,), 0 to 1."""
    below = np.clip(degrees / IDEAL_ANGLE_DEG, 0.0, 1.0) ** 1.5
    above = np.clip((WIDEST_ANGLE_DEG - degrees) / (WIDEST_ANGLE_DEG - IDEAL_ANGLE_DEG), 0.0, 1.0)
    return np.asarray(below * above, np.float64)
