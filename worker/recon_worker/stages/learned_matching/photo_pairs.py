"""Which photos show the same, by how many of their learned features are each other's nearest neighbours."""

import torch
from torch import Tensor

from recon_worker.stages.learned_matching.xfeat import Features

LOOKED_AT = 256
"""Strongest features of a photo that are compared: a quarter of them choose the partners of a photo as well as all of them do."""

LEAST_LIKENESS = 0.82
"""Cosine of two descriptors that show the same, as in XFeat."""

AT_ONCE = 16
"""Photos that one photo is compared with at once; each takes a matrix of LOOKED_AT squared."""


def stacked(photos: list[Features]) -> Tensor:
    """Return the strongest descriptors of all photos, (p, LOOKED_AT, 64), those that are missing being zero."""
    descriptors = photos[0].descriptors.new_zeros(len(photos), LOOKED_AT, photos[0].descriptors.shape[-1])
    for number, photo in enumerate(photos):
        strongest = photo.descriptors[:LOOKED_AT]
        descriptors[number, : len(strongest)] = strongest
    return descriptors


def count_alike(descriptors: Tensor, number: int) -> Tensor:
    """Return how many features of a photo, of (p, n, 64), each photo after it shows too: (p - number - 1,)."""
    counts = [_mutual(descriptors[number], others) for others in torch.split(descriptors[number + 1 :], AT_ONCE)]
    return torch.cat(counts) if counts else descriptors.new_zeros(0, dtype=torch.long)


def _mutual(one: Tensor, others: Tensor) -> Tensor:
    likeness = others @ one.T  # (p, m, n)
    best, row = likeness.max(1)
    column = likeness.argmax(2)
    numbers = torch.arange(one.shape[0], device=one.device)
    return ((column.gather(1, row) == numbers) & (best > LEAST_LIKENESS)).sum(1)
