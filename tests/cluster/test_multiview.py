"""Real photos become a mesh: the whole thread, with the model that people use."""

from pathlib import Path

import trimesh

from recon_api.status import ConditionType, Phase
from recon_dev.demo import local_path
from recon_dev.photos import put_photos
from tests.support.jobs import has_condition, make_job
from tests.support.photo_sets import real_photos
from tests.support.system import System


def test_photos_become_a_mesh_with_previews(shared_system: System) -> None:
    put_photos(real_photos(), shared_system.inputs / "object")
    spec = {
        "input": {"path": "object"},
        "model": "multiview",
        "parameters": {"quality": "draft", "formats": ["glb", "ply"]},
    }
    status = shared_system.submit(make_job("object", **spec)).wait_phase(Phase.SUCCEEDED, within_s=900)
    assert has_condition(status, ConditionType.COMPLETE)
    files = {output.name: Path(local_path(output.uri)) for output in status.outputs}
    meshes = [files["mesh.glb"], files["mesh.ply"]]
    assert any(file.suffix in (".png", ".jpg", ".webp") for file in files.values()), "a preview"
    for mesh in meshes:
        faces = trimesh.load(mesh, force="mesh").faces
        assert len(faces) > 1000, mesh
