"""Tensors against compiled code on small photos: they agree, and what is wrong is noticed."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.gpu import agreement, tensor_code
from benchmarks.gpu.agreement import CHECKS, REHEARSAL_PX, Check, compare
from benchmarks.gpu.depth_agreement import correlations, depth_map, filters, paths
from benchmarks.gpu.figures import Figure, largest, quantile, share
from benchmarks.gpu.fusion_agreement import opinions, surface_normals, votes
from benchmarks.gpu.matching_agreement import learned_features, learned_matches, patches
from benchmarks.gpu.photographs import Photograph, moved, photographs
from benchmarks.gpu.results import Findings
from recon_worker.stages.depth import normals, semi_global_matching
from recon_worker.stages.depth.comparison import Comparison
from recon_worker.stages.depth.estimation import estimate_inverse_depth
from recon_worker.stages.depth.free_space import Votes
from recon_worker.stages.depth.plain_areas import plain_areas
from recon_worker.stages.learned_matching.lighter_glue import LighterGlue
from recon_worker.stages.learned_matching.xfeat import XFeat
from recon_worker.stages.tracks import patches as patch_alignment

CPU = torch.device("cpu")
Function = Callable[..., Any]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the stages."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def photos() -> list[Photograph]:
    """Those of a rehearsal."""
    return photographs(*REHEARSAL_PX)


@pytest.mark.parametrize("check", [pytest.param(check, id=check.__name__) for check in CHECKS])
def test_tensors_agree_with_compiled_code(check: Check, photos: list[Photograph]) -> None:
    with torch.inference_mode():
        figures = list(compare(photos, CPU, [check]))
    assert figures
    assert [str(figure) for figure in figures if not figure.holds] == []


def scaled(factor: float) -> Callable[[Function], Function]:
    """Return what makes a function return its result times a factor, or that of its first part."""

    def change(function: Function) -> Function:
        def wrong(*arguments: Any) -> Any:
            found = function(*arguments)
            return (factor * found[0], *found[1:]) if isinstance(found, tuple) else factor * found

        return wrong

    return change


def without_a_view(function: Function) -> Function:
    """Return a function that does nothing at its first call: it forgets a view."""
    calls: list[object] = []

    def wrong(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) > 1:
            function(*arguments)

    return wrong


@pytest.mark.parametrize(
    ("check", "owner", "name", "change"),
    [
        pytest.param(filters, tensor_code, "_median_of_nine", scaled(1.0001), id="medians"),
        pytest.param(filters, tensor_code, "_variance_of_similar", scaled(3.0), id="plain areas"),
        pytest.param(correlations, Comparison, "score", scaled(1.001), id="correlations"),
        pytest.param(paths, semi_global_matching, "aggregate_by_tensors", scaled(1.001), id="costs over paths"),
        pytest.param(depth_map, semi_global_matching, "aggregate_by_tensors", scaled(-1.0), id="depth maps"),
        pytest.param(surface_normals, normals, "normals_by_tensors", scaled(1.01), id="normals"),
        pytest.param(opinions, tensor_code, "_ask", without_a_view, id="opinions"),
        pytest.param(votes, Votes, "add_by_tensors", without_a_view, id="votes"),
        pytest.param(patches, patch_alignment, "align_by_tensors", scaled(1.001), id="patches"),
    ],
)
def test_what_tensors_get_wrong_is_noticed(
    check: Check,
    owner: object,
    name: str,
    change: Callable[[Function], Function],
    photos: list[Photograph],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(owner, name, change(getattr(owner, name)))
    with torch.inference_mode():
        assert not all(figure.holds for figure in compare(photos, CPU, [check]))


@pytest.mark.parametrize(
    ("check", "network", "change"),
    [
        pytest.param(
            learned_features,
            XFeat,
            lambda found: type(found)(found.places + 0.3, found.descriptors),
            id="features elsewhere",
        ),
        pytest.param(
            learned_features,
            XFeat,
            lambda found: type(found)(found.places, found.descriptors.roll(1, dims=1)),
            id="other descriptors",
        ),
        pytest.param(learned_matches, LighterGlue, lambda found: found[::2], id="half of the matches"),
    ],
)
def test_what_a_network_gets_wrong_is_noticed(
    check: Check, network: type, change: Function, photos: list[Photograph], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second network of that kind is the device's."""
    right, networks = network.__call__, list[object]()

    def seen(self: Any, *arguments: Any) -> Any:
        networks.append(self)
        found = right(self, *arguments)
        return found if self is networks[0] else change(found)

    monkeypatch.setattr(network, "__call__", seen)
    with torch.inference_mode():
        assert not all(figure.holds for figure in compare(photos[:4], CPU, [check]))


def test_the_stages_run_compiled_code_again_after_a_rehearsal() -> None:
    compiled = semi_global_matching._aggregate_on_cpu
    with tensor_code.code_of(CPU):
        assert semi_global_matching._aggregate_on_cpu is not compiled
    assert semi_global_matching._aggregate_on_cpu is compiled
    with pytest.raises(ZeroDivisionError), tensor_code.code_of(CPU):
        1 / 0  # noqa: B018 - the block is left by an error
    assert semi_global_matching._aggregate_on_cpu is compiled


def test_a_check_that_raises_keeps_no_others_from_being_made(photos: list[Photograph]) -> None:
    def no_kernel(*_: object) -> Iterator[Figure]:
        yield Figure(name="first", value=math.sqrt(1))
        raise RuntimeError("no kernel image is available")

    _, first, *others = compare(photos, CPU, [no_kernel, filters])
    assert not first.holds
    assert first.name == "no_kernel ended with RuntimeError: no kernel image is available"
    assert [figure.holds for figure in others] == [True] * 3


@pytest.mark.slow
def test_all_tensors_of_a_depth_map_are_on_its_device(photos: list[Photograph]) -> None:
    """Torch's device without memory refuses operations with tensors of another one."""
    meta = torch.device("meta")
    view, *sources = (photo.on(meta) for photo in photos[:4])
    with torch.inference_mode():
        found = estimate_inverse_depth(view, sources, 16, lambda: None)
        points = moved(photos[0].measured(0), meta).points()
    assert {each.device.type for each in (*found, points)} == {"meta"}


def test_the_photos_show_what_is_to_be_compared(photos: list[Photograph]) -> None:
    """A plain part, a ball before a wall, and all depths within the bounds."""
    for photo in photos:
        assert 0.05 < plain_areas(photo.view.pyramid[0]).float().mean() < 0.4
        assert photo.depth.min() > photo.view.nearest
        assert photo.depth.max() < photo.view.farthest
    assert ((photos[0].depth[:, 1:] - photos[0].depth[:, :-1]).abs() > 0.5).any()


@pytest.mark.parametrize(
    ("value", "bounds", "holds"),
    [
        pytest.param(0.5, {"at_least": 0.5}, True, id="at a bound"),
        pytest.param(0.49, {"at_least": 0.5}, False, id="below it"),
        pytest.param(0.51, {"at_most": 0.5}, False, id="above it"),
        pytest.param(0.5, {"at_least": 0.4, "at_most": 0.6}, True, id="between two"),
        pytest.param(7.0, {}, True, id="no bound"),
        pytest.param(math.nan, {"at_least": 0.0}, False, id="no number is not above a bound"),
        pytest.param(math.nan, {"at_most": 0.0}, False, id="nor below one"),
    ],
)
def test_a_figure_keeps_its_bounds(value: float, bounds: dict[str, float], holds: bool) -> None:
    figure = Figure(name="a", value=value, **bounds)
    assert figure.holds is holds
    assert ("WRONG" in str(figure)) is not holds


def test_nothing_to_compare_is_no_agreement() -> None:
    nothing = torch.empty(0)
    assert all(math.isnan(value) for value in (share(nothing > 0), largest(nothing), quantile(nothing, 0.5)))
    assert quantile(torch.tensor([-4.0, 1.0, 2.0, 3.0]), 0.99) == 4


@pytest.mark.parametrize(("wrong", "code"), [(False, 0), (True, 1)])
def test_figures_are_printed_and_stored(
    wrong: bool, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(*_: object) -> Iterator[Figure]:
        yield Figure(name="medians", value=1.0 if wrong else 0.0, at_most=0)
        yield Figure(name="seconds", value=math.nan)

    monkeypatch.setattr(agreement, "compare", check)
    monkeypatch.setattr("sys.argv", ["agreement", "--cpu", "--out", str(tmp_path / "found.json")])
    assert agreement.main() == code
    medians, seconds = Findings.load(tmp_path / "found.json").figures
    assert medians.holds is not wrong
    assert math.isnan(seconds.value)
    assert ("WRONG  medians: 1 (at most 0)" in capsys.readouterr().out) is wrong
