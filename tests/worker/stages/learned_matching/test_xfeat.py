"""Keypoints are found again where the photo moves, to a fraction of a pixel."""

import pytest
import torch
from PIL import ImageOps

from recon_worker.stages.learned_matching.xfeat import _between_pixels, _peaks
from tests.worker.stages.learned_matching.pictures import features, photo


def test_a_photo_has_so_many_features_of_length_one() -> None:
    found = features(photo(), count=300)
    assert found.places.shape == (300, 2)
    assert found.descriptors.shape == (300, 64)
    assert torch.allclose(found.descriptors.norm(dim=-1), torch.ones(300), atol=1e-5)
    assert (found.places >= -0.5).all()
    assert (found.places < torch.tensor([640, 480])).all()


def test_the_strongest_come_first() -> None:
    picture = photo()
    assert torch.equal(features(picture, 300).places[:100], features(picture, 100).places)


def test_features_move_with_the_photo() -> None:
    whole, cut = photo(), photo().crop((64, 32, 640, 480))
    one, other = features(whole, 400), features(cut, 400)
    moved = other.places + torch.tensor([64.0, 32.0])
    distance = torch.cdist(moved, one.places).min(dim=1).values
    assert (distance < 0.25).float().mean() > 0.7


@pytest.mark.parametrize("change", [ImageOps.autocontrast, lambda picture: picture.point(lambda value: value // 2)])
def test_brightness_and_contrast_change_little(change) -> None:
    one, other = features(photo()), features(change(photo()))
    assert (torch.cdist(one.places, other.places).min(dim=1).values < 0.5).float().mean() > 0.9


def test_a_plain_photo_has_none() -> None:
    found = features(photo().point(lambda _: 128))
    assert len(found.places) == 0


@pytest.mark.parametrize(("x", "y"), [(20.0, 20.0), (20.3, 19.8), (19.6, 20.4)])
def test_a_maximum_is_found_between_pixels(x: float, y: float) -> None:
    rows, columns = torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij")
    heat = torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 3)
    places, _ = _peaks(heat)
    assert torch.allclose(_between_pixels(heat, places), torch.tensor([[x, y]]), atol=0.01)
