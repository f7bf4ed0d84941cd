"""Merging points that many views saw into one for each cell of a grid."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recon_worker.stages.compiled import compiled

Check = Callable[[], None]

LEAST_WAITING = 500_000
"""Samples that wait at least before they are merged with those of earlier views."""


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

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.weights)

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


class MergedSamples:
    """The weighted means of the samples of many views in the cells of a grid, in memory that grows with the cells, not with the views.

    Threads may add views in any order; they are merged in one and the same, so that sums do not depend on chance.
    """

    def __init__(self, cell: float, order: Sequence[int]) -> None:
        """Merge in cells of that size, in the world's unit, the views of these numbers, in this order."""
        self._cell, self._next = cell, list(reversed(order))
        self._early: dict[int, Samples] = {}
        self._merged: list[Samples] = []
        """The first holds all that is merged, the others wait."""
        self._lock = threading.Lock()
        self.added = 0
        """Samples, in all."""

    def add(self, number: int, samples: Samples, check: Check) -> None:
        """Take a view's samples into account; `check` is called between parts and may raise."""
        own = merge_samples(samples, self._cell, check)
        with self._lock:
            self.added += len(samples)
            self._early[number] = own
            while self._next and self._next[-1] in self._early:
                self._merged.append(self._early.pop(self._next.pop()))
                # Looked at after each view, not after each thread, so that chance decides nothing.
                if sum(map(len, self._merged[1:])) > max(LEAST_WAITING, len(self._merged[0])):
                    self._merge(check)

    def result(self, check: Check) -> Samples:
        """Return one sample for each occupied cell, once all views are added."""
        with self._lock:
            return self._merge(check)

    def _merge(self, check: Check) -> Samples:
        merged = merge_samples(Samples.concatenate(self._merged), self._cell, check)
        self._merged = [merged]
        return merged


def merge_samples(samples: Samples, cell: float, check: Check = lambda: None) -> Samples:
    """Return the weighted mean of the samples in each occupied cell of a grid with cells of that size, in the world's unit.

    The weight of a mean is the sum of weights, so means can be merged again. The order of the cells and every sum are the same
    whenever the samples are. `check` is called between parts and may raise.
    """
    check()
    if not len(samples):
        return samples
    index = np.floor(samples.xyz / np.float32(cell)).astype(np.int64)
    index -= index.min(axis=0)
    size = index.max(axis=0) + 1
    keys = (index[:, 0] * size[1] + index[:, 1]) * size[2] + index[:, 2]
    check()
    order = np.argsort(keys, kind="stable")
    check()
    keys = keys[order]
    ends = np.append(np.flatnonzero(keys[1:] != keys[:-1]) + 1, len(keys))

    def means(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        check()
        found = np.empty((len(ends), 3), np.float32)
        _average(values, samples.weights, order, ends, found)
        return found

    normals = means(samples.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Samples(
        xyz=means(samples.xyz),
        normals=normals,
        rgb=np.rint(means(samples.rgb)).astype(np.uint8),
        weights=np.add.reduceat(samples.weights[order], np.append(0, ends[:-1])),
    )


@compiled
def _average(
    values: npt.NDArray[np.generic],
    weights: npt.NDArray[np.float32],
    order: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    found: npt.NDArray[np.float32],
) -> None:
    """Compute the weighted means of `values`, (n, 3), of one group after the other: (g, 3).

    `order` and `weights` are (n,); `ends`, (g,), are where the groups end in `order`.
    """
    start = 0
    for group in range(len(ends)):
        total, x, y, z = 0.0, 0.0, 0.0, 0.0
        for place in range(start, ends[group]):
            sample = order[place]
            weight = weights[sample]
            total += weight
            x += weight * values[sample, 0]
            y += weight * values[sample, 1]
            z += weight * values[sample, 2]
        found[group, 0], found[group, 1], found[group, 2] = x / total, y / total, z / total
        start = ends[group]
