"""Merging points that many views saw into one for each cell of a grid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Samples:
    """Measured surface points."""

    xyz: npt.NDArray[np.float32]
    """(n, 3) in the world frame."""
    normals: npt.NDArray[np.float32]
    """(n, 3) unit vectors out of the surface, in the world frame."""
    rgb: npt.NDArray[np.uint8]
    """(n, 3) sRGB."""
    weights: npt.NDArray[np.float32]
    """(n,), above zero."""

    @classmethod
    def concatenate(cls, parts: Sequence["Samples"]) -> "Samples":
        """Return all samples of the parts, in their order."""
        return cls(
            np.concatenate([part.xyz for part in parts]),
            np.concatenate([part.normals for part in parts]),
            np.concatenate([part.rgb for part in parts]),
            np.concatenate([part.weights for part in parts]),
        )

    def chosen(self, keep: npt.NDArray[np.bool_]) -> "Samples":
        """Return those samples for which `keep`, (n,), is true."""
        return Samples(self.xyz[keep], self.normals[keep], self.rgb[keep], self.weights[keep])


def merge_samples(samples: Samples, cell: float, check: Callable[[], None] = lambda: None) -> Samples:
    """Return the weighted mean of the samples in each occupied cell of a grid with cells of that size, in the world's unit.

    The order of the cells and every sum are the same whenever the samples are. `check` is called between parts and may
    raise.
    """
    check()
    low = samples.xyz.min(axis=0)
    index = np.floor((samples.xyz - low) / cell).astype(np.int64)
    size = index.max(axis=0) + 1
    keys = (index[:, 0] * size[1] + index[:, 1]) * size[2] + index[:, 2]
    check()
    order = np.argsort(keys, kind="stable")
    check()
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    weights = samples.weights[order].astype(np.float64)
    totals = np.add.reduceat(weights, starts)

    def mean(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        check()
        sums = np.add.reduceat(values[order].astype(np.float64) * weights[:, None], starts, axis=0)
        return np.asarray(sums / totals[:, None])

    normals = mean(samples.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Samples(
        xyz=mean(samples.xyz).astype(np.float32),
        normals=normals.astype(np.float32),
        rgb=np.rint(mean(samples.rgb)).astype(np.uint8),
        weights=totals.astype(np.float32),
    )
