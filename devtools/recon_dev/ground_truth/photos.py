"""A photo set of exactly known shape: `images/*.jpg`, `cams.json`, `gt.ply`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh
from PIL import ExifTags, Image

from recon_dev.ground_truth import shape
from recon_dev.ground_truth.appearance import make_appearance
from recon_dev.ground_truth.cameras import Ring, TrueCamera, cameras_on_rings, save_cameras
from recon_dev.ground_truth.ground import make_ground
from recon_dev.ground_truth.rendering import TruthScene, make_scene, render
from recon_worker.rendering.arrays import Floats

PHOTOS_FOLDER = "images"
CAMERAS_FILE = "cams.json"
MESH_FILE = "gt.ply"

FILM_WIDTH_MM = 36.0
"""Of the 35 mm film to which EXIF's equivalent focal length refers."""


@dataclass(frozen=True)
class PhotoSetSpec:
    """How many photos of what size, and how fine the truth is. The same spec gives the same files."""

    rings: tuple[Ring, ...] = (Ring(14, 13.0, 3.45), Ring(13, 34.0, 3.4), Ring(9, 57.0, 3.4))
    width_px: int = 960
    height_px: int = 720
    focal_length_mm: int = 45
    """Equivalent for 35 mm film, as the photos' EXIF says it."""
    shape_cells: int = 256
    """Grid cells along the object's longest side: the finest detail of shape and colour."""
    ground_cells: int = 2048
    noise: float = 0.008
    """Standard deviation of the sensor's noise, of a full scale of 1."""
    jpeg_quality: int = 92
    seed: int = 11

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.focal_length_mm / FILM_WIDTH_MM * max(self.width_px, self.height_px)


DEMO = PhotoSetSpec()
"""36 photos of 960x720: what `make demo` reconstructs."""


def render_photo_set(
    folder: Path, spec: PhotoSetSpec = DEMO, *, on_progress: Callable[[float], None] = lambda _: None, threads: int = 2
) -> None:
    """Write the photo set into the folder, which is made where it does not exist.

    `on_progress` is told the fraction done (0 to 1), from this thread; what it raises ends the work.
    """
    on_progress(0.0)
    (folder / PHOTOS_FOLDER).mkdir(parents=True, exist_ok=True)
    cameras = cameras_on_rings(spec.rings, (spec.width_px, spec.height_px), spec.focal_px, spec.seed)
    scene = _build_scene(folder, spec)
    save_cameras(cameras, folder / CAMERAS_FILE)
    with ThreadPoolExecutor(threads) as pool:
        jobs = [pool.submit(_take_photo, scene, camera, spec, number, folder) for number, camera in enumerate(cameras)]
        try:
            for done, job in enumerate(jobs):
                on_progress(0.15 + 0.85 * done / len(jobs))
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)
    on_progress(1.0)


def _build_scene(folder: Path, spec: PhotoSetSpec) -> TruthScene:
    mesh = shape.make_shape(spec.shape_cells)
    appearance = make_appearance(mesh, spec.seed)
    colours = np.uint8(255 * to_display(appearance.albedo) + 0.5)
    trimesh.Trimesh(mesh.vertices, mesh.triangles, vertex_colors=colours, process=False).export(folder / MESH_FILE)
    return make_scene(mesh, appearance, make_ground(mesh, spec.ground_cells, spec.seed))


def _take_photo(scene: TruthScene, camera: TrueCamera, spec: PhotoSetSpec, number: int, folder: Path) -> None:
    picture = to_display(render(scene, camera))
    noise = np.random.default_rng((spec.seed, number)).standard_normal(picture.shape, dtype=np.float32)
    pixels = np.uint8(255 * np.clip(picture + np.float32(spec.noise) * noise, 0, 1) + 0.5)
    photo = Image.fromarray(pixels)
    photo.save(folder / PHOTOS_FOLDER / camera.name, quality=spec.jpeg_quality, exif=_exif(spec))


def to_display(linear: Floats) -> Floats:
    """Return linear RGB (..., 3) as display values in 0 to 1, the brightest tones rolled off as by a camera."""
    rolled = np.where(linear > 0.7, 0.7 + 0.3 * np.tanh((linear - 0.7) / 0.3), linear)
    display: Floats = np.clip(rolled, 0, 1).astype(np.float32) ** np.float32(1 / 2.2)
    return display


def _exif(spec: PhotoSetSpec) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "recon-dev"
    exif[ExifTags.Base.Model] = "Ray caster"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.FocalLength] = float(spec.focal_length_mm)
    details[ExifTags.Base.FocalLengthIn35mmFilm] = spec.focal_length_mm
    return exif
