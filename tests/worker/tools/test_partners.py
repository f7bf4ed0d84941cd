"""Each photo is matched with those that share most with it."""

import numpy as np
import pytest

from recon_worker.tools.partners import choose_partners


@pytest.mark.parametrize(
    ("shared", "count", "pairs"),
    [
        pytest.param([[0, 5, 1], [5, 0, 2], [1, 2, 0]], 1, [(0, 1), (1, 2)], id="the best one of each"),
        pytest.param([[0, 5, 1], [5, 0, 2], [1, 2, 0]], 8, [(0, 1), (0, 2), (1, 2)], id="more than there are"),
        pytest.param([[0, 5, 0], [5, 0, 0], [0, 0, 0]], 2, [(0, 1)], id="one shows nothing of the others"),
    ],
)
def test_partners_are_those_with_most_in_common(
    shared: list[list[int]], count: int, pairs: list[tuple[int, int]]
) -> None:
    assert choose_partners(np.array(shared), range(count)) == pairs


def test_ranks_may_leave_gaps() -> None:
    numbers = np.arange(6)
    shared = 100 - np.abs(numbers - numbers[:, None]) - 100 * np.eye(6, dtype=int)
    assert {(0, 1), (0, 3)} <= set(choose_partners(shared, (0, 2, 40)))
    assert (0, 3) not in choose_partners(shared, (0, 40))
