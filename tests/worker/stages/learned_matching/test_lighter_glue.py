"""Matches follow how a photo was turned and scaled, and two different things have hardly any."""

import numpy as np
import pytest
import torch
from PIL import Image

from recon_worker.stages.learned_matching.lighter_glue import LighterGlue
from recon_worker.stages.learned_matching.xfeat import Features
from tests.worker.stages.learned_matching.pictures import CPU, features, photo

SIZE = (640, 480)


def matched(one: Image.Image, other: Image.Image) -> tuple[torch.Tensor, torch.Tensor]:
    """The places, (m, 2) each, of the matches of two pictures."""
    first, second = features(one), features(other)
    with torch.inference_mode():
        matches = LighterGlue(CPU)(first, second, SIZE, SIZE)
    return first.places[matches[:, 0]], second.places[matches[:, 1]]


@pytest.mark.parametrize(
    ("turn_deg", "scale"),
    [
        pytest.param(0.0, 1.0, id="as it is"),
        pytest.param(15.0, 1.0, id="turned"),
        pytest.param(0.0, 0.8, id="smaller"),
        pytest.param(-10.0, 1.2, id="turned and larger"),
    ],
)
def test_matches_follow_a_turn_and_a_scale(turn_deg: float, scale: float) -> None:
    c, s = scale * np.cos(np.radians(turn_deg)), scale * np.sin(np.radians(turn_deg))
    linear, middle = np.array([[c, -s], [s, c]]), np.array([320.0, 240.0])
    back = np.linalg.inv(linear)
    offset = middle - back @ middle
    changed = photo().transform(
        SIZE, Image.Transform.AFFINE, (*back[0], offset[0], *back[1], offset[1]), Image.Resampling.BICUBIC
    )
    one, other = matched(photo(), changed)
    expected = (one.numpy() + 0.5 - middle) @ linear.T + middle - 0.5
    error = np.linalg.norm(other.numpy() - expected, axis=-1)
    assert len(one) > 50
    assert np.mean(error < 5.0) > 0.95, sorted(error)[::10]


@pytest.mark.parametrize("left", [0, 1, 5])
def test_features_that_are_unlikely_to_have_a_match_are_left_out(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """So many of one photo are likely to have one after a layer, down to none."""
    seen = features(photo())
    monkeypatch.setattr(LighterGlue, "_matchable", lambda _self, _layer, points: points.chosen(torch.arange(left)))
    with torch.inference_mode():
        matches = LighterGlue(CPU)(seen, seen, SIZE, SIZE)
    assert matches.shape[1] == 2
    assert matches.dtype == torch.long
    assert set(matches.flatten().tolist()) <= set(range(left))


def test_a_photo_without_features_has_no_matches() -> None:
    seen = features(photo())
    nothing = Features(seen.places[:0], seen.descriptors[:0])
    with torch.inference_mode():
        assert LighterGlue(CPU)(seen, nothing, SIZE, SIZE).shape == (0, 2)


def test_different_things_have_hardly_any_matches() -> None:
    noise = np.random.default_rng(0).uniform(0, 255, (60, 80)).astype(np.uint8)
    other = Image.fromarray(noise).resize(SIZE, Image.Resampling.BICUBIC)
    assert len(matched(photo(), other)[0]) < 20
