"""Photos that hardly share a point with the others are not placed."""

import pycolmap
import pytest

from recon_worker.tools.mapping import LEAST_SEEN, without_loose_photos
from tests.worker.tools.test_tracks import model


@pytest.mark.parametrize(("seen", "stays"), [(LEAST_SEEN, True), (LEAST_SEEN - 1, False), (0, False)])
def test_a_photo_must_share_points(seen: int, stays: bool) -> None:
    group = model()
    (first, *others) = sorted(group.reg_image_ids())
    _forget(group, first, seen)
    without_loose_photos(group)
    assert (first in group.reg_image_ids()) is stays
    assert set(others) <= set(group.reg_image_ids())
    assert group.num_points3D() == 40


def test_what_only_loose_photos_hold_goes_with_them() -> None:
    group = model()
    numbers = sorted(group.reg_image_ids())
    for number in numbers[1:]:
        _forget(group, number, LEAST_SEEN - 1)
    without_loose_photos(group)
    assert list(group.reg_image_ids()) == []
    assert group.num_points3D() == 0


def _forget(group: pycolmap.Reconstruction, image: int, left: int) -> None:
    """Take observations from an image until so many are left."""
    features = [number for number, point in enumerate(group.image(image).points2D) if point.has_point3D()]
    for feature in features[left:]:
        group.delete_observation(image, feature)
