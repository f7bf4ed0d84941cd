"""Depth maps of surfaces whose shape is known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from scipy.ndimage import median_filter, uniform_filter

from recon_worker.stages.depth.bounds import object_bounds
from recon_worker.stages.depth.comparison import Comparison, OnCpu
from recon_worker.stages.depth.compiled_filters import variance_of_similar
from recon_worker.stages.depth.consistency import DepthMap, Opinions, SeenSurface, confirmed, opinion
from recon_worker.stages.depth.correlation import BestMean, Reference, box_sum
from recon_worker.stages.depth.estimation import estimate_inverse_depth
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.normals import normals_by_tensors, normals_of
from recon_worker.stages.depth.plain_areas import RADIUS, SIMILAR, plain_areas, variance_by_tensors
from recon_worker.stages.depth.propagation import continued, propagate, shifted, slopes_of
from recon_worker.stages.depth.refinement import median3, median_by_tensors
from recon_worker.stages.depth.semi_global_matching import aggregate, aggregate_by_tensors, best_planes
from recon_worker.stages.depth.spans import SURROUNDINGS_PX, spans_of
from recon_worker.stages.depth.view import View, load_view
from recon_worker.stages.object_region import Region
from tests.support.cameras import placed

Array = npt.NDArray[np.float64]
Intersect = Callable[[Array, Array], Array]
"""(centre 3, rays H x W x 3) -> depth along each ray."""

HEIGHT, WIDTH, FOCAL_PX = 96, 128, 140.0
K = np.array([[FOCAL_PX, 0, WIDTH / 2], [0, FOCAL_PX, HEIGHT / 2], [0, 0, 1]])


def plane(centre: Array, rays: Array) -> Array:
    """A plane through (0, 0, 3), tilted by 31 degrees."""
    normal = np.array([0.3, 0.5, 1.0])
    return np.asarray((np.array([0, 0, 3.0]) - centre) @ normal / (rays @ normal))


def ball(centre: Array, rays: Array) -> Array:
    """A ball of radius 4 around (0, 0, 7), which fills the photo."""
    offset = centre - np.array([0, 0, 7.0])
    a, b, c = (rays**2).sum(-1), 2 * rays @ offset, offset @ offset - 16.0
    return np.asarray((-b - np.sqrt(b**2 - 4 * a * c)) / (2 * a))


def texture(points: Array) -> Array:
    """Waves of many lengths, so that every window is different."""
    rng = np.random.default_rng(5)
    waves = rng.normal(size=(40, 3)) * rng.uniform(3, 25, size=(40, 1))
    return np.asarray(0.5 + 0.05 * np.sin(points @ waves.T + rng.uniform(0, 6, 40)).sum(axis=-1))


def photograph(surface: Intersect, x: float, y: float = 0.0) -> tuple[View, Array]:
    """A photo from (x, y, 0) towards +Z, and its true depth."""
    centre = np.array([x, y, 0.0])
    u, v = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    rays = np.stack([(u - K[0, 2]) / FOCAL_PX, (v - K[1, 2]) / FOCAL_PX, np.ones_like(u)], axis=-1)
    depth = surface(centre, rays)
    levels = [torch.from_numpy(texture(centre + rays * depth[..., None]).astype(np.float32))]
    for _ in range(2):
        levels.append(torch.nn.functional.avg_pool2d(levels[-1][None], 2)[0])
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return View(tuple(levels), rgb, K, np.eye(3), -centre, nearest=1.8, farthest=5.0), depth


@pytest.mark.parametrize("surface", [plane, ball])
def test_depth_is_found_within_a_few_thousandths(surface: Intersect):
    view, depth = photograph(surface, 0.0)
    sources = [photograph(surface, x, y)[0] for x, y in ((-0.35, 0), (0.35, 0), (0, 0.35))]
    with torch.inference_mode():
        w, score = estimate_inverse_depth(view, sources, 32, lambda: None)
    error = np.abs(1 / w.numpy() - depth) / depth
    inner = error[8:-8, 8:-8]
    # The sources see 16 pixels of disparity: two thousandths are a thirtieth of a pixel.
    assert np.median(inner) < 0.002
    assert np.quantile(inner, 0.95) < 0.01
    assert np.median(score.numpy()[8:-8, 8:-8]) > 0.95


def test_sources_that_do_not_show_a_point_do_not_lower_its_score() -> None:
    view, _ = photograph(ball, 0.0)
    sources = [photograph(ball, x, y)[0] for x, y in ((0.35, 0), (0.35, 0.1), (0.35, -0.1), (-0.35, 0))]
    with torch.inference_mode():
        _, score = estimate_inverse_depth(view, sources, 32, lambda: None)
    shown_by_the_last_alone = score.numpy()[8:-8, 3:12]
    assert np.median(shown_by_the_last_alone) > 0.9
    assert score.max() <= 1


def test_what_a_photo_shows_is_known() -> None:
    view, depth = photograph(plane, 0.0)
    source, _ = photograph(plane, 0.35)
    warp = Comparison.between(view, [source], 0, 2, (1.0,), lambda: None).warps[0]
    columns = np.arange(WIDTH) + 0.5 - 0.35 * FOCAL_PX / depth
    assert (warp.shows(torch.from_numpy(1 / depth).float()).numpy() == (columns > 0)).mean() > 0.999
    assert not warp.shows(torch.full((HEIGHT, WIDTH), NOWHERE)).any()


LIMITS = (1 / 5.0, 1 / 1.8)


def test_a_surface_spreads_from_the_pixels_that_know_it() -> None:
    view, depth = photograph(ball, 0.0)
    sources = [photograph(ball, x, y)[0] for x, y in ((-0.35, 0), (0.35, 0), (0, 0.35))]
    comparison = Comparison.between(view, sources, 0, 2, (0.8, 0.2), lambda: None)
    true = torch.from_numpy(1 / depth).float()
    wrong = true.clone()
    wrong[:, 40:60], wrong[:, 80:100] = LIMITS[0], LIMITS[1]
    with torch.inference_mode():
        found = propagate(comparison, wrong, (8, 4, 2, 1), LIMITS, lambda: None)
    before, after = ((w / true - 1).abs()[8:-8, 8:-8] < 0.01 for w in (wrong, found))
    assert before.float().mean() < 0.7
    assert after.float().mean() > 0.85


def test_nothing_spreads_to_pixels_that_match_better() -> None:
    view, depth = photograph(ball, 0.0)
    sources = [photograph(ball, x)[0] for x in (-0.35, 0.35)]
    comparison = Comparison.between(view, sources, 0, 2, (0.8, 0.2), lambda: None)
    true = torch.from_numpy(1 / depth).float()
    with torch.inference_mode():
        found = propagate(comparison, true, (8, 1), LIMITS, lambda: None)
    assert (found / true - 1).abs()[8:-8, 8:-8].quantile(0.99) < 0.01


NOWHERE = -5.0
"""An inverse depth of points behind all cameras."""


@pytest.mark.parametrize("inverse_depths", [(1 / 5.0, 1 / 1.8), (0.0, 0.0), (1 / 0.2, 1 / 0.2), (NOWHERE, NOWHERE)])
@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("weights", [(1.0,), (0.8, 0.2), (1.0,) * 9])
def test_compiled_code_computes_what_tensors_do(
    inverse_depths: tuple[float, float], radius: int, weights: tuple[float, ...]
) -> None:
    """In the photo and beyond its border, at the true depth and far from it."""
    view, _ = photograph(plane, 0.0)
    sources = [photograph(plane, x, y)[0] for x, y in ((-0.35, 0), (0.35, 0.1), (0, 0.35), (1.4, 0))]
    compiled = Comparison.between(view, sources, 0, radius, weights, lambda: None)
    by_tensors = Comparison(compiled.reference, compiled.warps, compiled.weights)
    w = torch.linspace(*inverse_depths, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    planes = torch.linspace(*inverse_depths, 3)[:, None, None]
    assert type(compiled) is OnCpu
    for depths in (w, w.T.contiguous().T, planes):
        difference = (compiled.score(depths, lambda: None) - by_tensors.score(depths, lambda: None)).abs()
        # Rounding matters where a window is nearly plain.
        assert difference.max() < 5e-3
        assert difference.quantile(0.99) < 1e-4


def test_no_number_leads_the_compiled_code_out_of_the_photo() -> None:
    view, _ = photograph(ball, 0.0)
    comparison = Comparison.between(view, [photograph(ball, 0.35)[0]], 0, 2, (1.0,), lambda: None)
    for strange in (float("nan"), float("inf"), -float("inf"), 1e38, -1e38):
        assert comparison.score(torch.full((HEIGHT, WIDTH), strange), lambda: None).shape == (HEIGHT, WIDTH)


def test_compiled_filters_compute_what_tensors_do() -> None:
    random = np.random.default_rng(7)
    image = torch.from_numpy(random.random((13, 17), np.float32)) * torch.linspace(0, 1, 17)
    padded = torch.nn.functional.pad(image[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    assert torch.equal(median3(image), median_by_tensors(padded))
    compiled = torch.from_numpy(variance_of_similar(image.numpy(), RADIUS, SIMILAR))
    assert torch.allclose(compiled, variance_by_tensors(image), atol=1e-7)
    for planes in (1, 2, 3, 16):
        cost = torch.from_numpy(random.random((6, 9, planes), np.float32))
        expected = aggregate_by_tensors(cost, lambda: None, 0.1, 0.5)
        assert torch.allclose(aggregate(cost, lambda: None, 0.1, 0.5), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("row", "level", "span"),
    [
        pytest.param([], 0, [0, 0], id="nothing to measure"),
        pytest.param([(30, 32)], 0, [14, 48], id="some pixels and their surroundings"),
        pytest.param([(30, 32)], 1, [7, 24], id="at half the resolution"),
        pytest.param([(20, 21), (40, 42)], 0, [4, 58], id="from the first to the last pixel"),
        pytest.param([(2, 4)], 0, [0, 20], id="not beyond the border"),
        pytest.param([(0, 64)], 2, [0, 16], id="a whole row"),
    ],
)
def test_the_part_of_a_row_that_can_be_measured_is_compared(
    row: list[tuple[int, int]], level: int, span: list[int]
) -> None:
    measurable = np.zeros((64, 64), bool)
    for first, last in row:
        measurable[32, first:last] = True
    spans = spans_of(measurable, level)
    near = range((32 - SURROUNDINGS_PX) // 2**level, (32 + SURROUNDINGS_PX) // 2**level + 1)
    for y in range(64 // 2**level):
        assert spans[y].tolist() == (span if y in near else [0, 0])


def test_beside_what_can_be_measured_nothing_is_compared() -> None:
    """Spans of all kinds: the score within them is that of whole rows, and -1 beside them."""
    view, depth = photograph(plane, 0.0)
    sources = [photograph(plane, x, y)[0] for x, y in ((-0.35, 0), (0.35, 0.1))]
    whole = Comparison.between(view, sources, 0, 2, (1.0,), lambda: None)
    assert isinstance(whole, OnCpu)
    random = np.random.default_rng(2)
    ends = np.sort(random.integers(0, WIDTH + 1, (HEIGHT, 2)), axis=1).astype(np.int32)
    ends[::7] = 0
    ends[1::9] = [0, WIDTH]
    columns = np.arange(WIDTH)
    within = torch.from_numpy((columns >= ends[:, :1]) & (columns < ends[:, 1:]))
    w = torch.from_numpy(1 / depth).float()
    score = replace(whole, spans=ends).score(w, lambda: None)
    assert torch.allclose(score[within], whole.score(w, lambda: None)[within], atol=1e-6)
    assert (score[~within] == -1).all()


def test_a_plain_sky_is_recognised_up_to_the_roof() -> None:
    random = np.random.default_rng(3)
    roof = 0.3 + 0.05 * random.standard_normal((24, 40))
    sky = 0.8 + 0.002 * random.standard_normal((24, 40))
    plain = plain_areas(torch.from_numpy(np.vstack([sky, roof])).float())
    assert plain[:24].float().mean() > 0.95
    assert plain[24:].float().mean() < 0.02


def test_a_plane_continues_as_itself() -> None:
    """Inverse depth is linear in the pixels of a plane."""
    w = torch.from_numpy(1 / photograph(plane, 0.0)[1]).float()
    for step in ((8, 0), (-8, 0), (0, 8), (0, -8)):
        assert (continued(w, slopes_of(w), step) / w - 1).abs()[12:-12, 12:-12].max() < 1e-4


def test_an_image_moves_right_and_down_and_repeats_its_border() -> None:
    image = torch.arange(6.0).reshape(2, 3)
    assert shifted(image, 1, 0).tolist() == [[0, 0, 1], [3, 3, 4]]
    assert shifted(image, -2, 0).tolist() == [[2, 2, 2], [5, 5, 5]]
    assert shifted(image, 0, 1).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert shifted(image, 0, -1).tolist() == [[3, 4, 5], [3, 4, 5]]


@pytest.mark.parametrize("weights", [(1.0,), (0.8, 0.2), (0.25, 0.25, 0.25, 0.25)])
def test_the_best_scores_are_those_of_a_sort(weights: tuple[float, ...]) -> None:
    scores = torch.rand((6, 5, 4), generator=torch.Generator().manual_seed(0))
    kept = BestMean(weights)
    for score in scores:
        kept.add(score)
    best = scores.sort(dim=0, descending=True).values[: len(weights)]
    assert torch.allclose(kept.mean(), torch.tensordot(torch.tensor(weights), best, 1))


def test_fewer_scores_than_weights_have_no_mean() -> None:
    kept = BestMean((0.8, 0.2))
    kept.add(torch.ones(2, 2))
    with pytest.raises(ValueError, match="zip"):
        kept.mean()


def test_a_mask_is_read_at_the_size_and_place_of_its_view(tmp_path: Path) -> None:
    for folder, colour in (("images", "grey"), ("masks", "black")):
        (tmp_path / folder).mkdir()
        Image.new("RGB" if folder == "images" else "L", (400, 300), colour).save(tmp_path / folder / "a.png")
    mask = Image.new("L", (400, 300))
    mask.paste(255, (200, 0, 400, 300))
    mask.save(tmp_path / "masks" / "a.png.png")
    camera = placed(np.eye(3), np.array([0, 0, 4.0]), (400, 300), 400, "a")
    bounds = object_bounds(camera, Region(np.zeros(3), 1.0), 100)
    assert bounds is not None
    view = load_view(tmp_path, camera, bounds, torch.device("cpu"))
    assert view.shown is not None
    middle = round(view.K[0, 2])
    assert not view.shown[:, : middle - 1].any()
    assert view.shown[:, middle + 1 :].all()
    (tmp_path / "masks" / "a.png.png").unlink()
    unmasked = load_view(tmp_path, camera, bounds, torch.device("cpu"))
    assert unmasked.shown is None


def test_a_window_that_must_stop_stops():
    view, _ = photograph(plane, 0.0)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        estimate_inverse_depth(view, [photograph(plane, 0.3)[0]], 16, stop)


def known_depth(surface: Intersect, x: float) -> DepthMap:
    view, depth = photograph(surface, x)
    return DepthMap(torch.from_numpy(1 / depth).float(), K, view.R, view.t)


@pytest.mark.parametrize(
    ("factor", "agrees"),
    [
        pytest.param(1.0, True, id="the true depth is confirmed"),
        pytest.param(1.004, True, id="a small error is confirmed"),
        pytest.param(1.05, False, id="a large error is not"),
        pytest.param(0.7, False, id="something floating in front is not"),
    ],
)
def test_another_view_confirms(factor: float, agrees: bool):
    here, there = known_depth(plane, 0.0), known_depth(plane, 0.3)
    claimed = DepthMap(here.w / factor, here.K, here.R, here.t)
    points = claimed.points()
    normals, _ = normals_of(points, np.zeros(3))
    said = opinion(SeenSurface.of(points, normals, claimed.w, np.zeros(3)), there)
    assert said.agrees[20:-20, 30:-30].float().mean() == pytest.approx(float(agrees))


@pytest.mark.parametrize(
    ("agreeing", "asked", "score", "kept"),
    [
        pytest.param(2, 8, 0.5, True, id="two views agree"),
        pytest.param(2, 8, 0.3, False, id="two views agree on what hardly matches"),
        pytest.param(1, 8, 0.5, False, id="one view may agree by chance"),
        pytest.param(1, 8, 0.95, True, id="one view agrees on what matches very well"),
        pytest.param(0, 8, 1.0, False, id="no view agrees"),
        pytest.param(1, 1, 0.5, True, id="the only view that was asked agrees"),
    ],
)
def test_depths_are_confirmed_by_other_views(agreeing: int, asked: int, score: float, kept: bool) -> None:
    assert bool(confirmed(torch.tensor(agreeing), asked, torch.tensor(score))) is kept


def test_what_another_view_says_corrects_a_small_error():
    here, there = known_depth(plane, 0.0), known_depth(plane, 0.3)
    claimed = DepthMap(here.w * 1.003, here.K, here.R, here.t)
    points = claimed.points()
    normals, _ = normals_of(points, np.zeros(3))
    corrected = claimed.w + opinion(SeenSurface.of(points, normals, claimed.w, np.zeros(3)), there).change
    error = (corrected / here.w - 1).abs()[20:-20, 30:-30]
    assert error.max() < 0.0003


def test_normals_of_a_plane_are_the_planes():
    here = known_depth(plane, 0.0)
    normals, cosine = normals_of(here.points(), np.zeros(3))
    expected = -np.array([0.3, 0.5, 1.0]) / np.linalg.norm([0.3, 0.5, 1.0])
    inner = normals[:, 5:-5, 5:-5].permute(1, 2, 0).numpy()
    assert np.abs(inner - expected).max() < 0.01
    assert cosine[48, 64] > 0.5
    assert cosine[0, 0] == 0


def test_a_point_that_others_see_through_is_taken_away():
    views = [known_depth(plane, x) for x in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    on_surface = views[2].points()[:, 48, 64]
    floating = on_surface * 0.9
    xyz = torch.stack([on_surface, floating]).float()
    votes = Votes.none(2, torch.device("cpu"))
    for view in views:
        votes.add(xyz, view)
    assert votes.support.tolist() == [5, 0]
    assert votes.contradiction.tolist() == [0, 5]
    assert votes.keep().tolist() == [True, False]


def noisy_ball(x: float, unknown: float = 0.1) -> DepthMap:
    """What a view measures of the ball: a tenth of the pixels is wrong, and a share of them unknown."""
    random = np.random.default_rng(round(10 * x) + 100)
    true = known_depth(ball, x)
    factor = np.where(random.random((HEIGHT, WIDTH)) < 0.1, random.uniform(0.5, 2.0, (HEIGHT, WIDTH)), 1.0)
    factor += random.normal(0.0, 0.004, (HEIGHT, WIDTH))
    factor[random.random((HEIGHT, WIDTH)) < unknown] = 0.0
    return DepthMap(true.w * torch.from_numpy(factor).float(), true.K, true.R, true.t)


def test_compiled_opinions_are_those_of_tensors() -> None:
    one, others = noisy_ball(0.0), [noisy_ball(x) for x in (-0.5, 0.3, 2.5)]
    points = one.points()
    surface = SeenSurface.of(points, normals_of(points, one.centre())[0], one.w, one.centre())
    compiled, by_tensors = Opinions.none(surface), Opinions.none(surface)
    for other in others:
        compiled.ask(surface, other)
        by_tensors.add(opinion(surface, other))
    assert compiled.asked == len(others)
    assert 0.5 < (compiled.count > 0).float().mean() < 0.95
    same = compiled.count == by_tensors.count
    assert same.float().mean() > 0.999  # a difference of rounding decides a few
    difference = (compiled.mean_change() - by_tensors.mean_change()).abs()[same]
    assert difference.nan_to_num().max() < 1e-5


def test_compiled_normals_are_those_of_tensors() -> None:
    one = noisy_ball(0.0, unknown=0.01)
    points = one.points()
    (normals, cosine), (expected, expected_cosine) = (
        find(points, one.centre()) for find in (normals_of, normals_by_tensors)
    )
    known = expected_cosine != 0
    assert 0.1 < known.float().mean() < 0.9
    assert (cosine[~known] == 0).all()
    assert (cosine[known] - expected_cosine[known]).abs().max() < 1e-3
    assert (normals[:, known] - expected[:, known]).abs().max() < 1e-3


def test_compiled_votes_are_those_of_tensors() -> None:
    xyz = noisy_ball(0.0).points().flatten(1).T
    xyz = xyz[xyz.isfinite().all(dim=1)]
    compiled, by_tensors = (Votes.none(len(xyz), torch.device("cpu")) for _ in range(2))
    for view in (noisy_ball(x) for x in (-0.5, 0.3, 2.5)):
        compiled.add(xyz, view)
        by_tensors.add_by_tensors(xyz, view)
    for votes, expected in (
        (compiled.support, by_tensors.support),
        (compiled.contradiction, by_tensors.contradiction),
    ):
        assert 0 < votes.mean() < 3
        assert (votes == expected).float().mean() > 0.999


def test_the_cheapest_way_through_a_volume_is_found():
    """One row of five pixels, four planes: the middle pixel matches plane 3 by chance, its neighbours plane 1."""
    cost = torch.ones((1, 5, 4))
    cost[0, :, 1] = 0.2
    cost[0, 2, 3], cost[0, 2, 1] = 0.1, 0.15
    assert cost[0, 2].argmin() == 3
    total = aggregate(cost, lambda: None, small_step=0.1, large_step=0.5)
    assert total.argmin(dim=2)[0].tolist() == [1, 1, 1, 1, 1]
    # From the left: 0.15 + least of the neighbour; the same from the right; the vertical paths add the cost itself.
    assert total[0, 2, 1] == pytest.approx(4 * 0.15, abs=1e-6)


def test_an_edge_stays_where_both_sides_are_sure():
    cost = torch.ones((1, 6, 5))
    cost[0, :3, 1] = 0.0
    cost[0, 3:, 3] = 0.0
    total = aggregate(cost, lambda: None, small_step=0.1, large_step=0.5)
    assert total.argmin(dim=2)[0].tolist() == [1, 1, 1, 3, 3, 3]


def test_a_minimum_between_planes_is_found_by_a_parabola():
    planes = torch.arange(7.0)
    cost = (planes - 3.3) ** 2
    assert best_planes(cost[None, None])[0, 0] == pytest.approx(3.3)


def test_sums_and_medians_are_those_of_scipy():
    image = torch.from_numpy(np.random.default_rng(0).random((9, 12), np.float32))
    for radius in (1, 2, 3, 4):
        expected = uniform_filter(image.numpy(), 2 * radius + 1, mode="constant") * (2 * radius + 1) ** 2
        assert np.allclose(box_sum(image, radius), expected, atol=1e-4)
    assert np.array_equal(median3(image), median_filter(image.numpy(), 3, mode="nearest"))


def test_correlation_ignores_brightness_and_contrast():
    image = torch.from_numpy(np.random.default_rng(0).random((20, 20), np.float32))
    assert Reference.of(image, 2).correlate(0.4 * image + 0.3).min() > 0.99
