"""The resolution of the surface follows that of the points."""

import numpy as np
import pytest

from recon_worker.stages.build_mesh import octree_depth


@pytest.mark.parametrize(
    ("side", "cell", "depth"),
    [
        pytest.param(2.0, 2.2 / 256, 8, id="256 cells along a side"),
        pytest.param(8.0, 2.2 / 256, 10, id="a scene four times as long has two levels more"),
        pytest.param(2.0, 2.2 / 300, 8, id="the nearest number of levels"),
        pytest.param(2.0, 1e-6, 11, id="not so many that memory does not suffice"),
        pytest.param(2.0, 1.0, 6, id="not so few that nothing is left of a surface"),
    ],
)
def test_levels_of_the_octree(side: float, cell: float, depth: int) -> None:
    corners = np.array([[0, 0, 0], [side / 2, side, side / 3]], np.float32)
    assert octree_depth(corners, cell, 11) == depth
