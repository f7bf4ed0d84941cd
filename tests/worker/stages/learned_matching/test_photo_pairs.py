"""Each photo is matched with those that show most of the same."""

import torch
from torch import Tensor

from recon_worker.stages.learned_matching.photo_pairs import LOOKED_AT, count_alike, stacked
from recon_worker.stages.learned_matching.xfeat import Features


def descriptors(*directions: int) -> Tensor:
    """Descriptors, (n, 64), along axes."""
    return torch.eye(64)[list(directions)]


def test_mutual_nearest_neighbours_are_counted() -> None:
    photos = [
        Features(torch.zeros(3, 2), descriptors(0, 1, 2)),
        Features(torch.zeros(2, 2), descriptors(2, 5)),
        Features(torch.zeros(4, 2), descriptors(7, 2, 1, 1)),
    ]
    together = stacked(photos)
    assert together.shape == (3, LOOKED_AT, 64)
    assert count_alike(together, 0).tolist() == [1, 2]
    assert count_alike(together, 1).tolist() == [1]
    assert count_alike(together, 2).tolist() == []


def test_what_is_only_nearest_but_not_alike_is_not_counted() -> None:
    between = (descriptors(0) + descriptors(1)) / 2**0.5
    photos = [Features(torch.zeros(1, 2), descriptors(0)), Features(torch.zeros(1, 2), between)]
    assert count_alike(stacked(photos), 0).tolist() == [0]
