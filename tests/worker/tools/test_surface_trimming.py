"""A surface ends where measurement ends, and has no small holes."""

import numpy as np
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
    assert area(without_extensions(whole, points, reach=0.5, hole_share=hole_share)) == left


def test_a_surface_does_not_go_on_beyond_the_points() -> None:
    whole = sheet()
    points = whole.xyz[whole.xyz[:, 0] <= 10]
    cut = without_extensions(whole, points, reach=2.0, hole_share=0.05)
    assert cut.xyz[:, 0].max() == pytest.approx(12, abs=1)
    assert area(cut) == pytest.approx(12 * SIDE, abs=SIDE)


def test_a_surface_that_was_measured_everywhere_stays() -> None:
    whole = sheet()
    cut = without_extensions(whole, whole.xyz, reach=0.5, hole_share=0.0)
    assert area(cut) == SIDE * SIDE
    assert len(cut.xyz) == len(whole.xyz)
