"""Patches are found to a small fraction of a pixel."""

import pytest
import torch
from torch import Tensor

from recon_worker.stages.tracks.patches import align, align_by_tensors, cut_out


def pattern(places: Tensor) -> Tensor:
    """A smooth pattern, 0 to 1, at places (..., 2) in pixels."""
    waves = torch.tensor([[0.31, 0.12], [-0.17, 0.29], [0.44, -0.38], [0.05, 0.51]])
    phases = torch.tensor([0.3, 1.9, 4.1, 2.7])
    return 0.5 + 0.11 * torch.sin(places @ waves.T + phases).sum(-1)


def picture(linear: Tensor, offset: Tensor) -> Tensor:
    """The pattern, (120, 120), as seen after `linear @ place + offset`."""
    rows, columns = torch.meshgrid(torch.arange(120.0) + 0.5, torch.arange(120.0) + 0.5, indexing="ij")
    return pattern((torch.stack((columns, rows), dim=-1) - offset) @ torch.linalg.inv(linear).T)


UNCHANGED = torch.eye(2)
CENTRES = torch.tensor([[40.0, 50.0], [61.3, 58.7], [70.5, 44.2]])


def expected_axes(linear: Tensor) -> Tensor:
    return linear.expand(len(CENTRES), 2, 2)


@pytest.mark.parametrize(
    ("linear", "offset", "guessed"),
    [
        pytest.param([[1, 0], [0, 1]], [0.0, 0.0], [[1, 0], [0, 1]], id="nothing changed"),
        pytest.param([[1, 0], [0, 1]], [1.3, -0.8], [[1, 0], [0, 1]], id="moved"),
        pytest.param([[0.8, -0.6], [0.6, 0.8]], [30.0, -20.0], [[0.8, -0.6], [0.6, 0.8]], id="turned, which is known"),
        pytest.param([[1.1, 0.15], [-0.05, 0.95]], [0.7, 0.9], [[1, 0], [0, 1]], id="sheared, which is not known"),
    ],
)
def test_a_template_is_found_where_it_is(
    linear: list[list[float]], offset: list[float], guessed: list[list[float]]
) -> None:
    change, shift = torch.tensor(linear, dtype=torch.float32), torch.tensor(offset)
    templates = cut_out(picture(UNCHANGED, torch.zeros(2)), CENTRES, expected_axes(UNCHANGED))
    true = CENTRES @ change.T + shift
    start = true + torch.tensor([[0.9, -0.7], [-1.1, 0.4], [0.3, 1.2]])
    axes = torch.tensor(guessed, dtype=torch.float32).expand(len(CENTRES), 2, 2)
    found, score = align(picture(change, shift), templates, start, axes)
    assert (found - true).norm(dim=-1).max() < 0.03
    assert score.min() > 0.99


def test_compiled_code_finds_what_tensors_do() -> None:
    image = picture(torch.tensor([[1.01, 0.02], [-0.01, 0.99]]), torch.tensor([-0.7, 0.9]))
    image += 0.02 * torch.randn(image.shape, generator=torch.Generator().manual_seed(1))
    centres = 10 + 100 * torch.rand(50, 2, generator=torch.Generator().manual_seed(2))
    axes = expected_axes(UNCHANGED)[:1].expand(50, 2, 2)
    templates = cut_out(picture(UNCHANGED, torch.zeros(2)), centres, axes)
    (found, score), (expected, expected_score) = (
        find(image, templates, centres, axes) for find in (align, align_by_tensors)
    )
    alike = expected_score > 0.8  # elsewhere the search runs away, and rounding decides where to
    assert alike.float().mean() > 0.5
    assert (found - expected)[alike].abs().max() < 2e-3
    assert (score - expected_score)[alike].abs().max() < 1e-3


def test_light_makes_no_difference() -> None:
    templates = cut_out(picture(UNCHANGED, torch.zeros(2)), CENTRES, expected_axes(UNCHANGED))
    darker = 0.4 * picture(UNCHANGED, torch.zeros(2)) + 0.3
    found, score = align(darker, templates, CENTRES + 0.8, expected_axes(UNCHANGED))
    assert (found - CENTRES).norm(dim=-1).max() < 0.03
    assert score.min() > 0.99


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(torch.full((120, 120), 0.5), id="a plain area"),
        pytest.param(torch.rand(120, 120, generator=torch.Generator().manual_seed(0)), id="noise"),
    ],
)
def test_a_template_is_not_found_in_something_else(other: Tensor) -> None:
    templates = cut_out(picture(UNCHANGED, torch.zeros(2)), CENTRES, expected_axes(UNCHANGED))
    assert align(other, templates, CENTRES, expected_axes(UNCHANGED))[1].max() < 0.7


@pytest.mark.parametrize("place", [float("nan"), float("inf"), 1e6])
def test_a_place_that_cannot_be_spoils_no_other(place: float) -> None:
    image = picture(UNCHANGED, torch.zeros(2))
    templates = cut_out(image, CENTRES, expected_axes(UNCHANGED))
    start = CENTRES.clone()
    start[1] = place
    found, score = align(image, templates, start, expected_axes(UNCHANGED))
    assert torch.allclose(found[[0, 2]], CENTRES[[0, 2]], atol=0.03)
    assert not score[1] > 0.8
