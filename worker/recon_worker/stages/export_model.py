"""The files of a finished job: the mesh in the formats asked for, the points, the cameras and the previews.

The artefact is what is published:

| file | |
|---|---|
| `mesh.glb`, `mesh.ply`, `mesh.obj` | the mesh, coloured by its vertices; +Y up, as glTF has it |
| `points.ply` | the points that the mesh was laid through, with normals and colours |
| `cameras.json` | where each photo was taken, with the conventions (`recon_worker.geometry.cameras`) |
| `preview.png`, `turntable.gif` | pictures of the mesh |

All share one frame and unit.
"""

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from recon_worker.geometry.cameras import INDEX as CAMERAS
from recon_worker.geometry.glb import write_glb
from recon_worker.geometry.obj import write_obj
from recon_worker.geometry.ply import Surface, read_ply, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.background import Check
from recon_worker.stages.render_previews import PREVIEW, TURNTABLE

STAGE = "export_model"
POINTS = "points.ply"


def _write_ply(file: Path, surface: Surface, _: Check) -> None:
    write_ply(file, surface)


WRITERS: Mapping[str, Callable[[Path, Surface, Check], None]] = {"glb": write_glb, "ply": _write_ply, "obj": write_obj}
"""How the mesh is written, by the format's name, which is the file's suffix too."""


class ExportParameters(Protocol):
    """What this stage reads of a model's parameters."""

    @property
    def formats(self) -> Collection[str]:
        """Names of the mesh's formats: keys of `WRITERS`."""


def export_model(scene: Scene, folder: Path, parameters: ExportParameters, progress: Progress) -> Mapping[str, Any]:
    """Write the files of the job into the folder; return the mesh's size and each file's bytes.

    Reads `build_mesh`, `fuse_depths`, `estimate_poses` and `render_previews`.
    """
    surface = read_ply(scene.folder("build_mesh") / "mesh.ply")
    formats = sorted(parameters.formats)
    for done, name in enumerate(formats):
        progress.tick(done / len(formats))
        WRITERS[name](folder / f"mesh.{name}", surface, progress.check_cancelled)
    progress.check_cancelled()
    for stage, file in _files_of_other_stages():
        _link(scene.folder(stage) / file, folder / file)
    return {
        "vertices": len(surface.xyz),
        "triangles": len(surface.faces),
        "bytes": {file.name: file.stat().st_size for file in sorted(folder.iterdir())},
    }


def _files_of_other_stages() -> tuple[tuple[str, str], ...]:
    return (
        ("fuse_depths", POINTS),
        ("estimate_poses", CAMERAS),
        ("render_previews", PREVIEW),
        ("render_previews", TURNTABLE),
    )


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy where the storage has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
