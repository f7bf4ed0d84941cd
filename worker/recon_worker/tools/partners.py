"""Which photos each photo is matched with, by how much it shares with each of the others."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def choose_partners(shared: npt.NDArray[np.integer], ranks: Iterable[int]) -> list[tuple[int, int]]:
    """Return the index pairs (i < j) of each photo and those of these ranks among the others, by what they share: (p, p), symmetric.

    Rank 0 is that of the photo that shares most. Photos that share nothing are no pair.
    """
    order = np.argsort(-shared, axis=1, kind="stable")[:, [rank for rank in ranks if rank < len(shared)]]
    chosen = ((one, other) for one, others in enumerate(order.tolist()) for other in others if shared[one, other])
    return sorted({(min(pair), max(pair)) for pair in chosen})
