"""A surface ends where measurement ends, and has no small holes."""

import numpy as np
import numpy.typing as npt
import pytest

from recon_worker.geometry.ply import Surface
from recon_worker.tools.surface_trimming import without_extensions

SIDE = 20
"""Squares along each side of the sheet, one unit each."""


def sheet() -> Surface:
    """A flat square of two triangles for each unit square."""
    x, y = np.meshgrid(np.arange(SIDE + 1), np.arange(SIDE + 1))
    xyz = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1).astype(np.float32)
    corner = (np.arange(SIDE)[:, None] * (SIDE + 1) + np.arange(SIDE)).ravel()
    one = np.stack([corner, corner + 1, corner + SIDE + 1], axis=1)
    other = np.stack([corner + 1, corner + SIDE + 2, corner + SIDE + 1], axis=1)
    faces = np.concatenate([one, other]).astype(np.int32)
    return Surface(xyz, np.zeros_like(xyz), np.zeros(xyz.shape, np.uint8), faces)


def nowhere(surface: Surface) -> npt.NDArray[np.bool_]:
    """No vertex is seen through."""
    return np.zeros(len(surface.xyz), bool)


def area(surface: Surface) -> float:
    """Return its area: each triangle has half a unit."""
    return len(surface.faces) / 2


@pytest.mark.parametrize(
    ("hole_share", "left"),
    [pytest.param(0.05, 400.0, id="a small hole is closed"), pytest.param(0.0, 390.0, id="no hole is closed")],
)
def test_holes(hole_share: float, left: float) -> None:
    whole = sheet()
    x, y, _ = whole.xyz.T
    measured = np.hypot(x - 10, y - 10) > 1.2  # all but five vertices in the middle
    points = whole.xyz[measured]
    assert area(without_extensions(whole, points, nowhere(whole), reach=0.5, hole_share=hole_share)) == left


def test_a_hole_that_photos_see_through_stays_open() -> None:
    whole = sheet()
    x, y, _ = whole.xyz.T
    hidden, through = np.hypot(x - 5, y - 5) <= 1.2, np.hypot(x - 15, y - 15) <= 1.2
    points = whole.xyz[~hidden & ~through]
    left = without_extensions(whole, points, through, reach=0.5, hole_share=0.05)
    assert area(left) == 400.0 - 10.0
    assert np.hypot(*(left.xyz[:, :2] - 5).T).min() == 0
    assert np.hypot(*(left.xyz[:, :2] - 15).T).min() > 1.2


def test_what_was_measured_stays_although_photos_see_through_it() -> None:
    whole = sheet()
    everywhere = np.ones(len(whole.xyz), bool)
    assert area(without_extensions(whole, whole.xyz, everywhere, reach=0.5, hole_share=0.0)) == SIDE * SIDE


def test_a_surface_does_not_go_on_beyond_the_points() -> None:
    whole = sheet()
    points = whole.xyz[whole.xyz[:, 0] <= 10]
    cut = without_extensions(whole, points, nowhere(whole), reach=2.0, hole_share=0.05)
    assert cut.xyz[:, 0].max() == pytest.approx(12, abs=1)
    assert area(cut) == pytest.approx(12 * SIDE, abs=SIDE)


def test_a_surface_that_was_measured_everywhere_stays() -> None:
    whole = sheet()
    cut = without_extensions(whole, whole.xyz, nowhere(whole), reach=0.5, hole_share=0.0)
    assert area(cut) == SIDE * SIDE
    assert len(cut.xyz) == len(whole.xyz)
