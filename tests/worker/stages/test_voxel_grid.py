"""Samples of many views, merged in the cells of a grid."""

from itertools import permutations

import numpy as np
import pytest

from recon_worker.stages import voxel_grid
from recon_worker.stages.voxel_grid import MergedSamples, Samples, merge_samples

CELL = 0.1


def view(number: int, count: int = 400) -> Samples:
    """What a view measured: random points of a cube."""
    random = np.random.default_rng(number)
    normals = random.normal(size=(count, 3))
    return Samples(
        xyz=random.uniform(-0.5, 0.5, (count, 3)).astype(np.float32),
        normals=(normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32),
        rgb=random.integers(0, 256, (count, 3)).astype(np.uint8),
        weights=random.uniform(0.1, 1, count).astype(np.float32),
    )


def merged(order: tuple[int, ...]) -> tuple[Samples, int]:
    """The cells after views were added in an order, and how many samples there were."""
    merging = MergedSamples(CELL, range(len(order)))
    for number in order:
        merging.add(number, view(number), lambda: None)
    return merging.result(lambda: None), merging.added


@pytest.mark.parametrize("waiting", [1, 700, 100_000])
def test_the_order_in_which_views_come_changes_nothing(monkeypatch: pytest.MonkeyPatch, waiting: int) -> None:
    monkeypatch.setattr(voxel_grid, "LEAST_WAITING", waiting)
    first, added = merged((0, 1, 2, 3))
    assert added == 1600
    for order in permutations(range(4)):
        again, _ = merged(order)
        for name in ("xyz", "normals", "rgb", "weights"):
            np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_views_merged_one_after_the_other_are_those_merged_at_once() -> None:
    at_once = merge_samples(Samples.concatenate([view(number) for number in range(4)]), CELL)
    one_by_one, _ = merged((0, 1, 2, 3))
    assert len(one_by_one) == len(at_once)
    np.testing.assert_allclose(one_by_one.xyz, at_once.xyz, atol=1e-5)
    np.testing.assert_allclose(one_by_one.weights, at_once.weights, rtol=1e-5)
    assert np.abs(one_by_one.rgb.astype(int) - at_once.rgb).max() <= 2


def test_a_view_that_measured_nothing_adds_nothing() -> None:
    nothing = view(0).chosen(np.zeros(400, bool))
    merging = MergedSamples(CELL, range(2))
    merging.add(0, nothing, lambda: None)
    merging.add(1, view(1), lambda: None)
    np.testing.assert_allclose(merging.result(lambda: None).xyz, merge_samples(view(1), CELL).xyz, atol=1e-6)
