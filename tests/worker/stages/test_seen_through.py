"""A part of a surface is not there where photos see what is behind it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recon_worker.progress import Progress
from recon_worker.stages.depth.consistency import SURE_SCORE
from recon_worker.stages.seen_through import seen_through

SIDE_PX = 64
K = np.array([[64.0, 0, 32], [0, 64, 32], [0, 0, 1]])
WALL, WEB = 4.0, 2.0
"""Depths: of what the photos see, and of the surface in front of it."""


def saw(folder: Path, number: int, depth: float, score: float = 0.9) -> Path:
    """Write the depth map of a photo from (number / 10, 0, 0) towards +Z that saw one depth everywhere."""
    shape, t = (SIDE_PX, SIDE_PX), np.array([-number / 10, 0, 0])
    path = folder / f"{number:05d}.npz"
    np.savez(
        path,
        w=np.full(shape, 1 / depth, np.float32),
        score=np.full(shape, score, np.float16),
        rgb=np.zeros((*shape, 3), np.uint8),
        K=K,
        R=np.eye(3),
        t=t,
    )
    return path


@pytest.mark.parametrize(
    ("depths", "score", "through"),
    [
        pytest.param([WALL, WALL], 0.9, True, id="two photos see the wall behind it"),
        pytest.param([WALL], 0.9, False, id="one photo may be wrong"),
        pytest.param([WALL, WALL], SURE_SCORE - 0.05, False, id="depths that match badly say nothing"),
        pytest.param([WALL, WALL, WEB, WEB], 0.9, False, id="as many see it"),
        pytest.param([WALL, WALL, WALL, WEB], 0.9, True, id="fewer see it"),
        pytest.param([WEB / 2, WEB / 2], 0.9, False, id="something in front of it hides it"),
    ],
)
def test_points_before_a_wall(tmp_path: Path, depths: Sequence[float], score: float, through: bool) -> None:
    maps = [saw(tmp_path, number, depth, score) for number, depth in enumerate(depths)]
    points = np.array([[0.1, 0, WEB], [0.1, 0.2, WEB]], np.float32)
    assert seen_through(points, maps, Progress.silent()).tolist() == [through, through]


def test_what_no_photo_shows_is_not_seen_through(tmp_path: Path) -> None:
    maps = [saw(tmp_path, number, WALL) for number in range(3)]
    behind_the_cameras, beside_the_frame = [0, 0, -1.0], [9.0, 0, WEB]
    points = np.array([behind_the_cameras, beside_the_frame], np.float32)
    assert not seen_through(points, maps, Progress.silent()).any()
