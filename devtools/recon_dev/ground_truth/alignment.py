"""Bringing a reconstruction, which is known up to a similarity only, into the truth's frame."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + translation."""

    scale: float
    rotation: Array
    """(3, 3), proper: from the source's axes to the target's."""
    translation: Array
    """(3,) in the target's unit."""

    def apply(self, points: NDArray[np.floating]) -> Array:
        """Return points (n, 3) of the source's frame in the target's frame and unit."""
        moved: Array = self.scale * points @ self.rotation.T + self.translation
        return moved


def umeyama(source: Array, target: Array) -> Similarity:
    """Return the similarity that takes source points (n, 3) to target points (n, 3) with the least squared error.

    Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns", IEEE TPAMI 13(4), 1991.
    Raises ValueError where fewer than three points are given or all lie on a line.
    """
    if len(source) < 3:
        raise ValueError(f"{len(source)} points in common: a similarity needs at least 3")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_offset, target_offset = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(target_offset.T @ source_offset / len(source))
    if singular[1] < 1e-12 * max(singular[0], 1e-300):
        raise ValueError("the points in common lie on a line: their similarity is not unique")
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * signs) @ vt
    scale = float(singular @ signs / np.square(source_offset).sum(axis=1).mean())
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def align_by_name(source: Mapping[str, Array], target: Mapping[str, Array]) -> Similarity:
    """Return the similarity between places (3,) that go by the same names; raises ValueError as `umeyama` does."""
    names = sorted(source.keys() & target.keys())
    return umeyama(
        np.array([source[name] for name in names]).reshape(-1, 3),
        np.array([target[name] for name in names]).reshape(-1, 3),
    )
