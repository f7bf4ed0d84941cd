"""Which photos are matched: those whose largest features are alike."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pycolmap
import pytest

from recon_worker.tools.alike_photos import LOOKED_AT, RANKS, most_alike

FEATURES = 40
"""Of each photo of a walk; it shares three quarters of them with the next one."""

STEP = 10


@pytest.fixture
def database(tmp_path: Path) -> Iterator[pycolmap.Database]:
    with pycolmap.Database.open(tmp_path / "features.db") as opened:
        opened.write_camera(pycolmap.Camera(model="SIMPLE_RADIAL", width=640, height=480, params=[800, 320, 240, 0.0]))
        yield opened


def of_things(things: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Return a descriptor, (n, 128), of each thing: things of different numbers look nothing alike."""
    made = [np.random.default_rng(thing).permutation(np.repeat([0, 180], 64)) for thing in things]
    return np.array(made, np.uint8).reshape(-1, 128)


def write(database: pycolmap.Database, name: str, things: Sequence[int], sizes: Sequence[float] | float = 5.0) -> None:
    """Write a photo that shows these things, as features of these sizes."""
    image = database.write_image(pycolmap.Image(name=name, camera_id=1))
    columns = np.zeros((len(things), 6), np.float32)
    columns[:, 2] = columns[:, 5] = sizes
    database.write_keypoints(image, columns)
    database.write_descriptors(
        image, pycolmap.FeatureDescriptors(pycolmap.FeatureExtractorType.SIFT, of_things(things))
    )


def walk(database: pycolmap.Database, photos: int, start: int = 0) -> list[str]:
    """Write photos of which each shows new things and most of what the one before it shows; return their names."""
    names = [f"{start + number:03}.jpg" for number in range(photos)]
    for number, name in enumerate(names):
        first = 1000 * start + STEP * number
        write(database, name, range(first, first + FEATURES))
    return names


def test_photos_that_share_features_are_chosen_and_others_are_not(database: pycolmap.Database) -> None:
    pairs = most_alike(database, walk(database, 10))
    reach = FEATURES // STEP - 1
    assert pairs == [(i, j) for i in range(10) for j in range(i + 1, min(i + reach + 1, 10))]


def test_each_photo_has_less_alike_partners_too(database: pycolmap.Database) -> None:
    names = [f"{number:03}.jpg" for number in range(30)]
    for number, name in enumerate(names):
        write(database, name, range(number, number + 60))  # each two share some
    of_first = [j for i, j in most_alike(database, names) if i == 0]
    assert set(of_first) >= {rank + 1 for rank in RANKS}


def test_only_the_largest_features_count(database: pycolmap.Database) -> None:
    small_ones = range(10_000, 10_000 + LOOKED_AT)
    for number, name in enumerate(("a.jpg", "b.jpg", "c.jpg")):
        own = range(1000 * number, 1000 * number + LOOKED_AT)
        write(database, name, [*small_ones, *own], [1.0] * LOOKED_AT + [5.0] * LOOKED_AT)
    assert most_alike(database, ["a.jpg", "b.jpg", "c.jpg"]) == []


def test_a_feature_that_looks_like_two_others_is_not_shared(database: pycolmap.Database) -> None:
    write(database, "windows.jpg", [1, 1, 2])
    write(database, "window.jpg", [1])
    write(database, "door.jpg", [2])
    assert most_alike(database, ["windows.jpg", "window.jpg", "door.jpg"]) == [(0, 2)]


def test_photos_without_features_are_left_out(database: pycolmap.Database) -> None:
    names = walk(database, 3)
    database.write_image(pycolmap.Image(name="sky.jpg", camera_id=1))
    write(database, "wall.jpg", [])
    assert {photo for pair in most_alike(database, [*names, "sky.jpg", "wall.jpg"]) for photo in pair} == {0, 1, 2}


def test_no_photo_is_its_own_partner(database: pycolmap.Database) -> None:
    write(database, "alone.jpg", range(50))
    assert most_alike(database, ["alone.jpg"]) == []
