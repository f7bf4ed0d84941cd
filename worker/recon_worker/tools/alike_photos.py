"""Which photos are likely to show the same: those whose largest SIFT features are alike.

Large features are few, and they match where small ones do: Wu, "Towards Linear-Time Incremental Structure from Motion", 3DV 2013,
section 4 ("preemptive feature matching").
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pycolmap

from recon_worker.tools.partners import choose_partners

LOOKED_AT = 256
"""Largest features of a photo that are compared. With them, the 12 photos most like each one hold 97 to 99 % of all matches."""

RANKS = (0, 1, 2, 3, 4, 5, 7, 10, 14, 19)
"""Of the photos that each one is matched with, by how much they share with it: less alike ones connect what was taken in several walks."""

LEAST_LIKENESS = 0.76
"""Cosine of two descriptors that may show the same."""

RATIO = 0.85
"""Most of the distance to the nearest descriptor by that to the second nearest: Lowe's test, IJCV 2004."""

AT_ONCE = 32
"""Photos that one photo is compared with at once; each takes a matrix of LOOKED_AT squared."""

DIMENSIONS = 128
"""Of a SIFT descriptor."""

AFFINE_COLUMNS = 6
"""Of a feature with a shape: x, y, and the matrix from the unit circle to it, row by row. One without has x, y, scale, direction."""

Floats = npt.NDArray[np.float32]


def most_alike(database: pycolmap.Database, names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the index pairs (i < j) of each photo of a database and those of `RANKS` among the photos that share large features with it."""
    numbers = {image.name: image.image_id for image in database.read_all_images()}
    shared = _count_shared(np.stack([_largest(database, numbers[name]) for name in names]))
    return choose_partners(shared, RANKS)


def _largest(database: pycolmap.Database, image: int) -> Floats:
    """Return the descriptors of a photo's largest features, (LOOKED_AT, DIMENSIONS), of length 1; those that are missing are zero."""
    largest = np.zeros((LOOKED_AT, DIMENSIONS), np.float32)
    if database.num_descriptors_for_image(image):
        order = np.argsort(-_sizes(database.read_keypoints(image)), kind="stable")[:LOOKED_AT]
        descriptors = np.asarray(database.read_descriptors(image).data)[order].astype(np.float32)
        largest[: len(order)] = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True).clip(1)
    return largest


def _sizes(features: Floats) -> Floats:
    """Return what grows with the size of each feature, (n,), of (n, 4) or (n, 6) columns."""
    if features.shape[1] == AFFINE_COLUMNS:
        return np.abs(features[:, 2] * features[:, 5] - features[:, 3] * features[:, 4])
    return features[:, 2]


def _count_shared(largest: Floats) -> npt.NDArray[np.int64]:
    """Return how many features each two photos share, (p, p), 0 on the diagonal, by their descriptors, (p, LOOKED_AT, DIMENSIONS)."""
    photos = len(largest)
    counts = np.zeros((photos, photos), np.int64)
    for number in range(photos):
        for start in range(number + 1, photos, AT_ONCE):
            others = largest[start : start + AT_ONCE]
            counts[number, start : start + len(others)] = _shared(largest[number], others)
    return counts + counts.T


def _shared(one: Floats, others: Floats) -> npt.NDArray[np.int64]:
    """Return how many descriptors of one photo, (n, d), each of the others, (p, n, d), has too: (p,).

    Two descriptors are the same feature where each is the other's nearest, and no second one of the first photo is nearly as near.
    """
    likeness = (others.reshape(-1, one.shape[1]) @ one.T).reshape(len(others), len(one), len(one))
    nearest, back = likeness.argmax(axis=2), likeness.argmax(axis=1)
    mutual = np.take_along_axis(back, nearest, axis=1) == np.arange(len(one))
    best = np.take_along_axis(likeness, nearest[..., None], axis=2)[..., 0]
    np.put_along_axis(likeness, nearest[..., None], -1, axis=2)
    second = likeness.max(axis=2)
    # The squared distance of unit vectors is 2 - 2 cosine.
    clear = (1 - best) < RATIO**2 * (1 - second)
    counts: npt.NDArray[np.int64] = (mutual & clear & (best > LEAST_LIKENESS)).sum(axis=1)
    return counts
