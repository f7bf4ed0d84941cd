"""What becomes of the light that a lens lets through: exposure, white balance, blur, noise, and a JPEG file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image
from scipy.ndimage import gaussian_filter

from recon_dev.ground_truth.photos import FILM_WIDTH_MM, to_display
from recon_worker.rendering.arrays import Floats, floats


@dataclass(frozen=True)
class Capture:
    """How photos are taken. What varies from photo to photo does so evenly between the limits."""

    focal_length_mm: int
    """Equivalent for 35 mm film, as the photos' EXIF says it."""
    k1: float = 0.0
    """Radial distortion (`lens`). The true cameras are those of the pinhole, without it."""
    exposure_ev: float = 0.0
    """Exposure varies by so many stops each way."""
    white_balance: float = 0.0
    """Gains of red and blue vary by this share each way."""
    lens_blur_px: float = 0.45
    """Standard deviation of the sharpest lens."""
    defocus_px: float = 0.0
    """What is added to it at most."""
    motion_px: float = 0.0
    """How far the camera moves at most while the shutter is open, in the picture."""
    noise: float = 0.008
    """Standard deviation of the sensor's noise, of a full scale of 1."""
    jpeg_quality: int = 92

    def focal_px(self, size: tuple[int, int]) -> float:
        """Return the focal length in pixels of photos of a width and height."""
        return self.focal_length_mm / FILM_WIDTH_MM * max(size)


def develop(picture: Floats, capture: Capture, seed: tuple[int, ...]) -> Image.Image:
    """Return the photo of a picture (h, w, 3), linear RGB; the same seed gives the same photo."""
    random = np.random.default_rng(seed)
    exposure = 2 ** random.uniform(-capture.exposure_ev, capture.exposure_ev)
    red, blue = 1 + random.uniform(-capture.white_balance, capture.white_balance, 2)
    exposed = picture * floats([exposure * red, exposure, exposure * blue])
    moved = _smeared(exposed, capture.motion_px * random.random(), random.uniform(0, np.pi))
    sigma = capture.lens_blur_px + capture.defocus_px * random.random()
    display = to_display(gaussian_filter(moved, (sigma, sigma, 0), truncate=3))
    noise = random.standard_normal(display.shape, dtype=np.float32)
    return Image.fromarray(np.uint8(255 * np.clip(display + np.float32(capture.noise) * noise, 0, 1) + 0.5))


def save_photo(photo: Image.Image, file: Path, capture: Capture) -> None:
    """Write a photo as JPEG that says its camera and focal length."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "recon-dev"
    exif[ExifTags.Base.Model] = f"Ray caster {capture.focal_length_mm} mm"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.FocalLength] = float(capture.focal_length_mm)
    details[ExifTags.Base.FocalLengthIn35mmFilm] = capture.focal_length_mm
    photo.save(file, quality=capture.jpeg_quality, exif=exif)


def _smeared(picture: Floats, length_px: float, angle: float) -> Floats:
    """Return the picture (h, w, 3) as moved evenly over a length, in pixels, along an angle from the rows."""
    if length_px < 0.2:
        return picture
    steps = np.linspace(-0.5, 0.5, 3) * length_px
    return floats(np.mean([_shifted(picture, s * np.cos(angle), s * np.sin(angle)) for s in steps], axis=0))


def _shifted(picture: Floats, right: float, down: float) -> Floats:
    """Return the picture (h, w, 3) moved by a part of pixels, bilinearly; at its borders the outermost pixels are repeated."""
    moved = picture
    for axis, by in ((1, right), (0, down)):
        whole = int(np.floor(by))
        share = np.float32(by - whole)
        padding = [(0, 0)] * 3
        padding[axis] = (max(whole + 1, 0), max(-whole, 0))
        padded = np.moveaxis(np.pad(moved, padding, mode="edge"), axis, 0)
        first = max(-whole - 1, 0)
        farther, nearer = (padded[first + s : first + s + moved.shape[axis]] for s in (0, 1))
        moved = np.moveaxis(nearer + share * (farther - nearer), 0, axis)
    return moved
