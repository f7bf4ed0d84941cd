"""The pictures show what is there: its outline, its colours, its best side, all of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.steps import Step
from recon_worker.geometry.ply import Surface
from recon_worker.progress import Progress, SilentSink
from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.best_view import best_direction
from recon_worker.rendering.pictures import FOUR_SAMPLES, ONE_SAMPLE, sample_object
from recon_worker.rendering.shaded_mesh import ShadedMesh, prepare
from recon_worker.rendering.views import View, axes_facing, direction_of, framed, slopes
from recon_worker.stages import render_previews as render_previews_module
from recon_worker.stages.render_previews import (
    PREVIEW,
    PREVIEW_SIZE,
    TURNTABLE,
    TURNTABLE_FRAMES,
    render_previews,
    turning_views,
)
from tests.support.meshes import FACE_COLOURS, finished_scene, make_ball, make_cube

SIZE = (240, 180)
WHOLE = (0, 0, *SIZE)


def make_model(surface: Surface | None = None) -> ShadedMesh:
    return prepare(surface or make_ball(), lambda _: None)


@pytest.mark.parametrize("radius", [0.4, 1.0, 30.0], ids=["small", "of one unit", "large"])
def test_a_balls_outline_is_a_disc_of_the_size_that_geometry_says(radius: float) -> None:
    distance = 5 * radius
    direction = direction_of(0.3, 0.4)
    view = View(direction * np.float32(distance), axes_facing(direction))
    _, coverage = sample_object(make_model(make_ball(radius, subdivisions=5)), view, SIZE, WHOLE, FOUR_SAMPLES)
    tangent = radius / np.sqrt(distance**2 - radius**2)
    radius_px = tangent / slopes(SIZE[0] / SIZE[1])[1] * SIZE[1] / 2
    assert coverage.sum() == pytest.approx(np.pi * radius_px**2, rel=0.005)


@pytest.mark.parametrize(("normal", "rgb"), [*FACE_COLOURS.items()], ids=[str(normal) for normal in FACE_COLOURS])
def test_each_side_of_a_cube_is_seen_in_its_own_colour(normal: tuple[int, int, int], rgb: tuple[int, int, int]) -> None:
    # A camera straight above has no upright picture; a little off the axis it has.
    direction = floats(normal) + floats([0.02, 0.03, 0.025])
    model = make_model(make_cube())
    view = framed(model.vertices, direction / np.linalg.norm(direction), 4 / 3, 0.8)
    colours, coverage = sample_object(model, view, SIZE, WHOLE, ONE_SAMPLE)
    middle = colours[SIZE[1] // 2, SIZE[0] // 2]
    assert coverage[SIZE[1] // 2, SIZE[0] // 2] == 1
    expected = np.array(rgb) / 255
    # Light changes how bright a colour is, not what share of it is red, green and blue.
    np.testing.assert_allclose(middle / middle.sum(), expected / expected.sum(), atol=0.03)
    assert middle.max() == pytest.approx(expected.max(), abs=0.2)


@pytest.mark.parametrize("azimuth", [0.0, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("elevation", [-0.6, 0.0, 0.9])
def test_a_framed_model_fills_the_picture_and_is_not_cut_off(azimuth: float, elevation: float) -> None:
    cube = make_cube()
    bar = stretched(cube, (3.0, 1.0, 0.3))
    view = framed(bar, direction_of(azimuth, elevation), 4 / 3, 0.9)
    places = projected(bar, view, 4 / 3)
    assert np.abs(places).max() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("elevation", [0.1, 0.5])
@pytest.mark.parametrize("stretch", [(3.0, 1.0, 0.3), (0.2, 4.0, 0.2), (2.0, 0.1, 2.0)], ids=["bar", "post", "plate"])
def test_a_turning_model_stays_in_the_picture(stretch: tuple[float, float, float], elevation: float) -> None:
    cube = make_cube()
    vertices = stretched(cube, stretch)
    model = make_model(Surface(vertices, cube.normals, cube.rgb, cube.faces))
    views = turning_views(model, direction_of(0.4, elevation))
    furthest = max(np.abs(projected(vertices, view, 1.0)).max() for view in views)
    assert len(views) == TURNTABLE_FRAMES
    assert 0.75 < furthest <= 0.885


def test_the_side_that_shows_most_is_chosen_among_those_that_were_photographed() -> None:
    ball = make_ball(subdivisions=5)
    chequers = (np.floor(ball.xyz * 6).sum(axis=1) % 2)[:, None] * np.array([200, 200, 200]) + 20
    rgb = np.where(ball.xyz[:, :1] > 0.2, chequers, 120)  # only the side towards +X has a pattern
    model = make_model(Surface(ball.xyz, ball.normals, rgb.astype(np.uint8), ball.faces))
    directions = np.array([direction_of(np.radians(a), 0.4) for a in (0, 80, 180, 270)])
    chosen = best_direction(model, 5 * directions, lambda _: None)
    assert chosen @ directions[1] > 0.99


def room() -> Surface:
    """A ball that is seen from inside: red towards +Z, green towards -Z."""
    ball = make_ball(subdivisions=4)
    rgb = np.where(ball.xyz[:, 2:] > 0, [[220, 0, 0]], [[0, 220, 0]]).astype(np.uint8)
    return Surface(ball.xyz, -ball.normals, rgb, ball.faces[:, ::-1].copy())


@pytest.mark.parametrize(
    ("from_inside", "seen"),
    [
        pytest.param(True, "green", id="the farther wall, through the nearer one"),
        pytest.param(False, "red", id="the nearer wall, from behind"),
    ],
)
def test_a_room_is_looked_into(from_inside: bool, seen: str) -> None:
    model = prepare(room(), lambda _: None, from_inside=from_inside)
    view = framed(model.vertices, direction_of(0.0, 0.0), 1.0, 0.9)
    colours, _ = sample_object(model, view, (40, 40), (0, 0, 40, 40), ONE_SAMPLE)
    red, green, _ = colours[15:25, 15:25].reshape(-1, 3).mean(axis=0)
    assert ("red" if red > green else "green") == seen
    assert abs(red - green) > 0.2


@pytest.mark.parametrize("region", ["object", "full"])
def test_whole_scenes_are_seen_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    asked = list[bool]()

    def stop(*_: object, from_inside: bool) -> None:
        asked.append(from_inside)
        raise JobCancelled(reasons.CANCELLED, "seen enough")

    monkeypatch.setattr(render_previews_module, "prepare", stop)
    with pytest.raises(JobCancelled):
        render_previews(finished_scene(tmp_path, make_ball(), region=region), tmp_path, None, Progress.silent())
    assert asked == [region == "full"]


@pytest.mark.slow
def test_the_stage_writes_a_still_and_a_looping_turn_of_bounded_size(tmp_path: Path) -> None:
    scene = finished_scene(tmp_path / "scene", make_post())
    out = tmp_path / "out"
    out.mkdir()
    figures = render_previews(scene, out, None, Progress.silent())
    assert sorted(file.name for file in out.iterdir()) == [PREVIEW, TURNTABLE]
    with Image.open(out / PREVIEW) as still, Image.open(out / TURNTABLE) as turn:
        assert still.size == PREVIEW_SIZE
        assert (len(list(ImageSequence.Iterator(turn))), turn.size) == (TURNTABLE_FRAMES, (400, 400))
        assert turn.info["loop"] == 0, "for ever"
    assert figures["turntable_bytes"] == (out / TURNTABLE).stat().st_size < 3_000_000


def test_a_cancelled_job_stops_in_the_middle(tmp_path: Path) -> None:
    class CancelledAfter(SilentSink):
        checks = 0

        def raise_if_stopped(self) -> None:
            self.checks += 1
            if self.checks == 30:
                raise JobCancelled(reasons.CANCELLED, "asked to stop")

    sink = CancelledAfter()
    scene = finished_scene(tmp_path / "scene", make_ball())
    with pytest.raises(JobCancelled):
        render_previews(scene, tmp_path, None, Progress.of_step(sink, Step.PREVIEWS))
    assert sink.checks == 30
    assert not (tmp_path / TURNTABLE).exists()


def make_post() -> Surface:
    """A coloured box that is tall and narrow, so that few pixels are spent on it."""
    cube = make_cube()
    return Surface(stretched(cube, (0.2, 1.0, 0.2)), cube.normals, cube.rgb, cube.faces)


def stretched(surface: Surface, stretch: tuple[float, float, float]) -> Floats:
    return surface.xyz * floats(stretch)


def projected(points: Floats, view: View, aspect: float) -> Floats:
    """Places (n, 2) in the picture; its edges are at -1 and 1."""
    seen = (points - view.position) @ view.axes.T
    return floats(seen[:, :2] / seen[:, 2:] / slopes(aspect))
