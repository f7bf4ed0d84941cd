"""Pictures of the finished mesh: a still from its best side, and one turn as an animation.

The artefact: `preview.png` and `turntable.gif`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from recon_worker.files.cancellable_file import checked
from recon_worker.geometry.cameras import CameraSet
from recon_worker.geometry.ply import read_ply
from recon_worker.progress import Progress
from recon_worker.rendering.arrays import Floats, floats
from recon_worker.rendering.best_view import best_direction
from recon_worker.rendering.pictures import FOUR_SAMPLES, TWO_SAMPLES, take_picture
from recon_worker.rendering.shaded_mesh import ShadedMesh, prepare
from recon_worker.rendering.studio import Floor, backdrop, lay_floor
from recon_worker.rendering.views import View, angles_of, axes_facing, direction_of, framed, framed_for_turning
from recon_worker.scene import Scene
from recon_worker.stages.background import wait_for
from recon_worker.stages.scene_region import RegionMode

STAGE = "render_previews"
PREVIEW = "preview.png"
TURNTABLE = "turntable.gif"

PREVIEW_SIZE = (1024, 768)
TURNTABLE_SIDE_PX = 400
TURNTABLE_FRAMES = 36
FRAME_MS = 100
"""A turn takes 3.6 s."""

TURNTABLE_COLOURS = (255, 128, 64, 32)
"""Tried in turn until the file is small enough: fewer colours make longer runs."""
TURNTABLE_LIMIT_BYTES = 3_000_000
TURNTABLE_BACKGROUND = floats([0.94, 0.943, 0.95])
"""One plain tone: a gradient would cost half of the file."""


def render_previews(scene: Scene, folder: Path, _: object, progress: Progress) -> Mapping[str, Any]:
    """Write `preview.png` and `turntable.gif` of `build_mesh`'s mesh into the folder; return their sizes in bytes."""
    surface = read_ply(scene.folder("build_mesh") / "mesh.ply")
    cameras = CameraSet.load(scene.folder("estimate_poses")).cameras
    from_inside = scene.report("estimate_depth")["region"] == RegionMode.FULL
    model = prepare(surface, progress.part(0.0, 0.3).tick, from_inside=from_inside)
    direction = best_direction(model, np.array([camera.centre() for camera in cameras]), progress.part(0.3, 0.4).tick)
    floor = lay_floor(model, progress.check_cancelled)
    save_preview(folder / PREVIEW, model, floor, direction, progress)
    progress.tick(0.55)
    save_turntable(folder / TURNTABLE, model, floor, direction, progress.part(0.55, 1.0))
    return {"preview_bytes": (folder / PREVIEW).stat().st_size, "turntable_bytes": (folder / TURNTABLE).stat().st_size}


def save_preview(file: Path, model: ShadedMesh, floor: Floor, direction: Floats, progress: Progress) -> None:
    """Write a PNG of the model, seen from a unit direction (3,)."""
    width, height = PREVIEW_SIZE
    view = framed(model.vertices, direction, width / height, 0.82)
    background = backdrop(width, height)
    picture = take_picture(model, view, background, FOUR_SAMPLES, floor=floor, check=progress.check_cancelled)
    with file.open("wb") as out:
        Image.fromarray(picture).save(checked(out, progress.check_cancelled), format="PNG")


def save_turntable(file: Path, model: ShadedMesh, floor: Floor, direction: Floats, progress: Progress) -> None:
    """Write a looping GIF of one turn of the model, beginning at a unit direction (3,)."""
    side = TURNTABLE_SIDE_PX
    background = np.broadcast_to(TURNTABLE_BACKGROUND, (side, side, 3))
    frames: list[npt.NDArray[np.uint8]] = []
    for view in turning_views(model, direction):
        progress.tick(0.8 * len(frames) / TURNTABLE_FRAMES)
        frames.append(take_picture(model, view, background, TWO_SAMPLES, floor=floor, check=progress.check_cancelled))
    for attempt, colours in enumerate(TURNTABLE_COLOURS):
        _save_gif(file, frames, colours, progress.part(0.8 + attempt / 20, 0.85 + attempt / 20))
        if file.stat().st_size <= TURNTABLE_LIMIT_BYTES:
            return


def turning_views(model: ShadedMesh, direction: Floats) -> list[View]:
    """Return the views of one turn about the model's upright axis, beginning at a unit direction (3,)."""
    azimuth, elevation = angles_of(direction)
    centre, distance = framed_for_turning(model.vertices, elevation, 0.88)
    views = []
    for turn in np.linspace(0, 2 * np.pi, TURNTABLE_FRAMES, endpoint=False):
        # The object turns to the right, so the camera goes around it to the left.
        towards = direction_of(azimuth - turn, elevation)
        views.append(View(centre + np.float32(distance) * towards, axes_facing(towards)))
    return views


def _save_gif(file: Path, frames: list[npt.NDArray[np.uint8]], colours: int, progress: Progress) -> None:
    """Write frames (h, w, 3), sRGB, with one palette for all of them, so that no colour flickers.

    The palette is made by median cut (Heckbert, "Color Image Quantization for Frame Buffer Display", SIGGRAPH 1982).
    """
    sample = np.concatenate([frame[::2, ::2] for frame in frames[::5]])
    palette = wait_for(lambda _: Image.fromarray(sample).quantize(colours, method=Image.Quantize.MEDIANCUT), progress)
    pictures: list[Image.Image] = []
    for frame in frames:
        progress.tick(len(pictures) / len(frames))
        pictures.append(Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE))
    with file.open("wb") as out:
        pictures[0].save(
            checked(out, progress.check_cancelled),
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=FRAME_MS,
            loop=0,
            optimize=False,
        )
