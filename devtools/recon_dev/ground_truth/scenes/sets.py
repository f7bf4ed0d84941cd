"""The photo sets by name, and writing them: `images/*.jpg`, `cams.json`, `gt.ply`, and `protocol.json` where it differs.

Truth is meant so: `cams.json` holds each photo's pinhole camera, K, R and t. Where a set's lens distorts (`capture`), a point of
the scene is not where K, R and t project it, but moved from there as `lens.distorted` says.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import trimesh

from recon_dev.ground_truth.cameras import TrueCamera, save_cameras
from recon_dev.ground_truth.photos import CAMERAS_FILE, MESH_FILE, PHOTOS_FOLDER, to_display
from recon_dev.ground_truth.scenes.capture import develop, save_photo
from recon_dev.ground_truth.scenes.facade import FACADE
from recon_dev.ground_truth.scenes.glazed import GLAZED
from recon_dev.ground_truth.scenes.photo_set import SceneSet
from recon_dev.ground_truth.scenes.protocol import save_protocol
from recon_dev.ground_truth.scenes.rendering import render
from recon_dev.ground_truth.scenes.room import ROOM
from recon_dev.ground_truth.scenes.scene import LitScene, Scene, SurfacePoints, light_scene
from recon_dev.ground_truth.scenes.thin import THIN
from recon_dev.ground_truth.scenes.weak import WEAK
from recon_worker.rendering.arrays import Floats

SCENE_SETS: Mapping[str, SceneSet] = {each.name: each for each in (WEAK, GLAZED, THIN, FACADE, ROOM)}


def render_scene_set(
    folder: Path, spec: SceneSet, *, on_progress: Callable[[float], None] = lambda _: None, threads: int = 2
) -> None:
    """Write the photo set into the folder, which is made where it does not exist.

    `on_progress` gets the fraction done (0 to 1), in this thread; what it raises ends the work.
    """
    on_progress(0.0)
    (folder / PHOTOS_FOLDER).mkdir(parents=True, exist_ok=True)
    cameras = spec.cameras()
    lit = light_scene(spec.scene())
    _save_truth(lit.scene, folder / MESH_FILE)
    save_cameras(cameras, folder / CAMERAS_FILE)
    save_protocol(spec.protocol, folder)
    with ThreadPoolExecutor(threads) as pool:
        jobs = pool.map(partial(_take_photo, lit, spec, folder), range(len(cameras)), cameras)
        try:
            for done, _ in enumerate(jobs, start=1):
                on_progress(0.1 + 0.9 * done / len(cameras))
        finally:
            pool.shutdown(cancel_futures=True)


def _take_photo(lit: LitScene, spec: SceneSet, folder: Path, number: int, camera: TrueCamera) -> None:
    photo = develop(render(lit, camera, spec.capture.k1), spec.capture, (spec.seed, number))
    save_photo(photo, folder / PHOTOS_FOLDER / camera.name, spec.capture)


def _save_truth(scene: Scene, file: Path) -> None:
    colours = np.concatenate(
        [_vertex_colours(scene, number) for number, part in enumerate(scene.parts) if part.is_truth]
    )
    truth = scene.truth()
    trimesh.Trimesh(truth.vertices, truth.triangles, vertex_colors=np.uint8(255 * colours + 0.5), process=False).export(
        file
    )


def _vertex_colours(scene: Scene, number: int) -> Floats:
    """Return display colours (v, 3), 0 to 1, of a part's vertices."""
    part = scene.parts[number]
    footprint = np.full(len(part.mesh.vertices), 0.01, dtype=np.float32)
    return to_display(part.painter(SurfacePoints(part.mesh.vertices, part.mesh.normals, footprint)).albedo)
