"""A camera that only turned is distinguished from one that moved, by matches between its photos."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from recon_worker.tools.camera_motion import PairMotion, only_turned, show_one_view

Array = npt.NDArray[np.float64]

FOCAL = 1.1
"""In units of the photo's longer side."""


def turn(right_deg: float, down_deg: float = 0.0, roll_deg: float = 0.0) -> Array:
    """Return the rotation between two cameras, (3, 3)."""
    y, x, z = np.radians([right_deg, down_deg, roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)


def motion(rotation: Array, step: float = 0.0, explained: float = 1.0, focal: float = FOCAL) -> PairMotion:
    """Return how a wall moves for a camera that turns and makes a step sideways, as a share of the wall's distance."""
    K = np.diag([focal, focal, 1.0])
    homography = K @ (rotation + np.outer([step, 0, 0], [0, 0, 1])) @ np.linalg.inv(K)
    return PairMotion(homography * 3.0, explained)


PANORAMA = [motion(turn(8.0 * n, 1.0 * n, 0.5)) for n in range(1, 8)]


@pytest.mark.parametrize(
    ("pairs", "turned"),
    [
        pytest.param(PANORAMA, True, id="turned to the right, step by step"),
        pytest.param([motion(turn(0, 0, 10.0 * n)) for n in range(1, 5)], True, id="turned about its optical axis"),
        pytest.param([motion(np.eye(3))] * 5, True, id="stood still"),
        pytest.param([motion(turn(6.0 * n), step=0.005) for n in range(1, 5)], True, id="held by hand on the spot"),
        pytest.param([motion(turn(5.0), step=0.1 * n) for n in range(1, 6)], False, id="walked along a flat wall"),
        pytest.param([motion(np.eye(3), step=0.06)] * 5, False, id="small steps along a flat wall"),
        pytest.param([motion(turn(8.0), explained=0.6)] * 5, False, id="something has depth"),
        pytest.param(
            [*PANORAMA, motion(turn(8.0), explained=0.5), motion(turn(2.0), step=0.3)], False, id="moved twice"
        ),
        pytest.param([motion(turn(8.0))], False, id="one pair says nothing"),
        pytest.param([], False, id="nothing is matched"),
    ],
)
def test_a_camera_that_only_turned_is_found_out(pairs: list[PairMotion], turned: bool) -> None:
    assert only_turned(pairs) is turned


@pytest.mark.parametrize(
    ("pairs", "one"),
    [
        pytest.param([motion(np.eye(3))] * 5, True, id="copies"),
        pytest.param([motion(turn(0.1 * n, 0.1, 0.1)) for n in range(1, 4)], True, id="a hand that shook"),
        pytest.param([motion(turn(0.1))] * 19 + [motion(turn(9.0))], True, id="copies, and one other photo"),
        pytest.param(PANORAMA, False, id="turned to the right"),
        pytest.param([motion(turn(0, 0, 5.0 * n)) for n in range(1, 5)], False, id="turned about its optical axis"),
    ],
)
def test_copies_of_one_view_are_told_from_turns(pairs: list[PairMotion], one: bool) -> None:
    assert only_turned(pairs)
    assert show_one_view(pairs) is one


@pytest.mark.parametrize(
    ("focal", "turned"),
    [
        pytest.param(None, True, id="that nothing says"),
        pytest.param(FOCAL * 1.05, True, id="that EXIF says, about right"),
        pytest.param(FOCAL * 2, False, id="that EXIF says, and that makes no turn of it"),
        pytest.param(20.0, False, id="of a telescope, which is left to structure from motion"),
    ],
)
def test_the_focal_length_counts(focal: float | None, turned: bool) -> None:
    assert only_turned([replace(pair, focal=focal) for pair in PANORAMA]) is turned


def test_turns_of_different_focal_lengths_are_no_turns_of_one_camera() -> None:
    assert not only_turned([motion(turn(30.0), focal=0.5), motion(turn(30.0), focal=3.0)] * 3)
