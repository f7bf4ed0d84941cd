"""Real photos become a mesh: the whole thread, with the model that people use."""

import os
from pathlib import Path

import pytest
import trimesh

from recon_api.status import ConditionType, Phase
from recon_dev.demo import local_path
from recon_dev.photos import known_photo_set, photos_in, put_photos
from recon_dev.truth.photos import PHOTOS_FOLDER, SMALL
from tests.support.jobs import has_condition, make_job
from tests.support.system import System

SUBSET = 14
"""Photos of a real set that are taken, evenly spaced: quick, and with overlap."""


@pytest.fixture(scope="module")
def photo_set() -> list[Path]:
    """Photos of the folder that RECON_TEST_PHOTOS names; without it, rendered ones."""
    given = os.environ.get("RECON_TEST_PHOTOS")
    if not given:
        return photos_in(known_photo_set(SMALL) / PHOTOS_FOLDER)
    photos = photos_in(Path(given))
    return photos[:: max(1, len(photos) // SUBSET)][:SUBSET]


def test_photos_become_a_mesh_with_previews(shared_system: System, photo_set: list[Path]) -> None:
    put_photos(photo_set, shared_system.inputs / "object")
    spec = {
        "input": {"path": "object"},
        "model": "multiview",
        "parameters": {"quality": "draft", "formats": ["glb", "ply"]},
    }
    status = shared_system.submit(make_job("object", **spec)).wait_phase(Phase.SUCCEEDED, within_s=900)
    assert has_condition(status, ConditionType.COMPLETE)
    files = {output.name: Path(local_path(output.uri)) for output in status.outputs}
    meshes = [file for file in files.values() if file.suffix in (".glb", ".ply")]
    assert {mesh.suffix for mesh in meshes} == {".glb", ".ply"}
    assert any(file.suffix in (".png", ".jpg", ".webp") for file in files.values()), "a preview"
    for mesh in meshes:
        faces = trimesh.load(mesh, force="mesh").faces
        assert len(faces) > 1000, mesh
