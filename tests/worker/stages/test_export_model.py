"""What is written can be read by others, and is what was built."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trimesh

from recon_worker.geometry.cameras import CONVENTION, CameraSet
from recon_worker.geometry.ply import Surface, read_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.export_model import export_model
from recon_worker.stages.standing_frame import standing_origin
from tests.support.meshes import finished_scene, make_ball, make_cube

ALWAYS = {"points.ply", "cameras.json", "preview.png", "turntable.gif"}


@dataclass
class Asked:
    formats: tuple[str, ...] = ("glb",)


def make_scene(root: Path, surface: Surface | None = None) -> Scene:
    """A scene with a mesh and with previews, whose contents do not matter here."""
    scene = finished_scene(root, make_ball() if surface is None else surface)
    with scene.writing("render_previews", "test") as (folder, _):
        (folder / "preview.png").write_bytes(b"a picture")
        (folder / "turntable.gif").write_bytes(b"a turn")
    return scene


def export(tmp_path: Path, surface: Surface | None = None, formats: tuple[str, ...] = ("glb",)) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    export_model(make_scene(tmp_path / "scene", surface), out, Asked(formats), Progress.silent())
    return out


def standing(surface: Surface) -> np.ndarray:
    """The surface's vertices as they are published: it stands on y = 0."""
    return surface.xyz - standing_origin(surface.xyz)


def read_mesh(file: Path) -> trimesh.Trimesh:
    return trimesh.load_mesh(file, process=False)


def to_srgb_bytes(linear: np.ndarray) -> np.ndarray:
    display = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    return np.round(255 * display)


@pytest.mark.parametrize(
    ("formats", "meshes"),
    [
        pytest.param(("glb",), {"mesh.glb"}, id="one format is written where one is asked for"),
        pytest.param(("obj", "glb", "ply"), {"mesh.glb", "mesh.obj", "mesh.ply"}, id="all where all are"),
        pytest.param(("ply",), {"mesh.ply"}, id="no GLB where none is asked for"),
    ],
)
def test_files(tmp_path: Path, formats: tuple[str, ...], meshes: set[str]) -> None:
    out = export(tmp_path, formats=formats)
    assert {file.name for file in out.iterdir()} == ALWAYS | meshes


@pytest.mark.parametrize("name", ["glb", "ply", "obj"])
@pytest.mark.parametrize("surface", [make_ball(), make_cube()], ids=["ball", "cube"])
def test_another_program_reads_the_same_shape(tmp_path: Path, surface: Surface, name: str) -> None:
    mesh = read_mesh(export(tmp_path, surface, (name,)) / f"mesh.{name}")
    np.testing.assert_allclose(mesh.vertices[mesh.faces], standing(surface)[surface.faces], atol=1e-5)
    mesh.merge_vertices(merge_norm=True, merge_tex=True)
    assert mesh.is_watertight
    assert mesh.volume > 0, "triangles are counter-clockwise from outside"


@pytest.mark.parametrize("name", ["ply", "obj"])
def test_another_program_reads_the_same_colours(tmp_path: Path, name: str) -> None:
    surface = make_cube()
    mesh = read_mesh(export(tmp_path, surface, (name,)) / f"mesh.{name}")
    colours = mesh.visual.vertex_colors[mesh.faces][..., :3].astype(int)
    assert np.abs(colours - surface.rgb[surface.faces]).max() <= 1


def test_the_glb_has_linear_colours_and_a_matt_material_as_gltf_wants_them(tmp_path: Path) -> None:
    surface = make_cube()
    (mesh,) = trimesh.load_scene(export(tmp_path, surface) / "mesh.glb", process=False).geometry.values()
    linear = mesh.visual.vertex_attributes["color"] / 65535
    np.testing.assert_array_equal(to_srgb_bytes(linear[:, :3]), surface.rgb)
    assert (linear[:, 3] == 1).all()
    assert mesh.visual.material.metallicFactor == 0
    assert mesh.visual.material.roughnessFactor == 0.9


def test_cameras_say_their_conventions_and_points_are_those_of_the_scene(tmp_path: Path) -> None:
    surface = make_ball()
    out = export(tmp_path, surface)
    assert CameraSet.load(out).convention == CONVENTION
    np.testing.assert_allclose(read_ply(out / "points.ply").xyz, standing(surface), atol=1e-6)
