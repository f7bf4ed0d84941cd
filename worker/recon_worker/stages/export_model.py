"""The files of a finished job: the mesh in the formats asked for, the points, the cameras and the previews.

The artefact is what is published:

| file | |
|---|---|
| `mesh.glb`, `mesh.ply`, `mesh.obj` | the mesh, coloured by its vertices; +Y up, as glTF has it |
| `points.ply` | the points that the mesh was laid through, with normals and colours |
| `cameras.json` | where each photo was taken, with the conventions (`recon_worker.geometry.cameras`) |
| `preview.png`, `turntable.gif` | pictures of the mesh |

All share one frame and unit: the model stands on y = 0, its middle above the origin.
"""

import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recon_worker.geometry.cameras import CameraSet
from recon_worker.geometry.glb import write_glb
from recon_worker.geometry.obj import write_obj
from recon_worker.geometry.ply import Surface, read_ply, write_ply
from recon_worker.progress import Progress
from recon_worker.scene import Scene
from recon_worker.stages.background import Check
from recon_worker.stages.render_previews import PREVIEW, TURNTABLE
from recon_worker.stages.standing_frame import moved_cameras, standing_origin

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
    origin = standing_origin(surface.xyz)
    surface = _moved(surface, origin)
    formats = sorted(parameters.formats)
    for done, name in enumerate(formats):
        progress.tick(done / len(formats))
        WRITERS[name](folder / f"mesh.{name}", surface, progress.check_cancelled)
    progress.check_cancelled()
    write_ply(folder / POINTS, _moved(read_ply(scene.folder("fuse_depths") / POINTS), origin))
    moved_cameras(CameraSet.load(scene.folder("estimate_poses")), origin).save(folder)
    for file in (PREVIEW, TURNTABLE):
        _link(scene.folder("render_previews") / file, folder / file)
    return {
        "vertices": len(surface.xyz),
        "triangles": len(surface.faces),
        "bytes": {file.name: file.stat().st_size for file in sorted(folder.iterdir())},
    }


def _moved(surface: Surface, origin: npt.NDArray[np.float64]) -> Surface:
    """Return a surface, or points, in a frame whose origin is at `origin`, (3,), of its own."""
    return replace(surface, xyz=(surface.xyz - origin).astype(np.float32))


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy where the storage has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
