"""Checking one photo, and making it an upright 8-bit RGB file."""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import pi_heif
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base

from recon_api.errors import JobCancelled
from recon_worker.files.cancellable_file import checked, sha256_of
from recon_worker.inputs import deep_colour, masks, missing_end, panorama, pixels, stereo_pair
from recon_worker.inputs.content import HEAD_BYTES, named_by_content
from recon_worker.inputs.focal import focal_px
from recon_worker.inputs.limits import InputLimits

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "AVIF", "HEIF")
"""What content is taken for a photo; MPO is a JPEG with more behind it. Of several pictures in a file, the first is read."""

JPEG_QUALITY = 95
"""Of photos that must be written anew; with full-resolution colour, so that features stay where they are."""

# Our own limit (InputLimits.max_photo_pixels) is checked on the header, with a message that says what to do.
Image.MAX_IMAGE_PIXELS = None
pi_heif.register_heif_opener(thumbnails=False)


class PhotoRejected(Exception):  # noqa: N818 - it says what a file is, not what went wrong here
    """Raised when a file is not a usable photo; the message continues a sentence that begins with its name."""


class PhotoTooSmall(PhotoRejected):
    """Raised when a picture has too few pixels to find anything in: an icon, which does no harm where there are photos."""


class Panorama(PhotoRejected):
    """Raised when a picture shows all around, which no camera with a plane picture does."""


@dataclass(frozen=True)
class Prepared:
    """A photo as it was written."""

    file: Path
    sha256: str
    """Of the original file."""
    width: int
    height: int
    focal_px: float | None
    has_alpha: bool
    value_bits: int | None = None
    """How many bits its values use, where the file has more than 8."""


@dataclass(frozen=True)
class Treatment:
    """What is known of a photo from beside it."""

    value_bits: int | None = None
    """From how many bits a picture of more than 8 is scaled; from as many as it uses where it uses more."""
    mask: Image.Image | None = None
    """What of it is to be seen, of the photo as it is stored or as it stands upright."""
    is_pair: bool = False
    """Whether its name says that it holds the pictures of both eyes."""


@dataclass(frozen=True)
class _Decoded:
    """A picture with 8 bits a channel, as it is stored."""

    picture: Image.Image
    bits: int | None = None
    """How many bits its values used, where the file has more than 8."""


class _CutShort(PhotoRejected):
    """Raised when a file ends before its picture does."""


def prepare_photo(
    original: BufferedReader,
    path: Path,
    target: Path,
    limits: InputLimits,
    check: Callable[[], None] = lambda: None,
    treatment: Treatment = Treatment(),
) -> Prepared:
    """Write the open photo `original`, which is at `path`, to `target` plus the suffix of its format.

    A JPEG or PNG that is upright 8-bit sRGB already, and has no mask, is hard-linked or copied as it is. `check` is called
    for every piece of the file that is read or written; it may raise `JobCancelled`. Raises `PhotoRejected`.
    """
    digest = sha256_of(original, check)
    original.seek(0)
    try:
        with _decoding(original), Image.open(checked(original, check), formats=FORMATS) as image:
            _check_size(image, original, limits)
            exif = _exif(image)
            if treatment != Treatment() or not _is_usable(image, exif):
                return _write_upright(
                    _decoded(image, original, treatment, check), exif, target, digest, treatment, check
                )
            size = image.size
            _check_content(image)
            _refuse_panorama(image)
            file = target.with_suffix(".png" if image.format == "PNG" else ".jpg")
            link_or_copy(original, path, file)
            return Prepared(file, digest, *size, _focal(exif, *size), has_alpha=False)
    except _CutShort:
        if not missing_end.is_jpeg(original):
            raise
        return _prepare_without_end(original, target, digest, treatment, check)


def _prepare_without_end(
    original: BufferedReader, target: Path, digest: str, treatment: Treatment, check: Callable[[], None]
) -> Prepared:
    """Write a JPEG of which only the end marker is missing. Raises `PhotoRejected`."""
    with _decoding(original), Image.open(checked(missing_end.with_end(original), check), formats=("JPEG",)) as image:
        exif = _exif(image)
        image.load()
        if not missing_end.is_whole(image, original):
            raise PhotoRejected("is cut short: a part of the picture is missing")
        return _write_upright(_Decoded(image), exif, target, digest, treatment, check)


def link_or_copy(original: BufferedReader, path: Path, target: Path) -> None:
    """Make `target` the file that is open as `original`: a hard link where the file system allows it, else a copy."""
    with contextlib.suppress(OSError):
        os.link(path, target, follow_symlinks=False)
    if target.exists() and os.path.samestat(target.lstat(), os.fstat(original.fileno())):
        return
    target.unlink(missing_ok=True)  # path is a symbolic link, or was swapped meanwhile
    original.seek(0)
    with target.open("xb") as out:
        shutil.copyfileobj(original, out)


def _check_size(image: Image.Image, original: BufferedReader, limits: InputLimits) -> None:
    width, height = image.size
    if width * height > limits.max_photo_pixels:
        limit = f"{limits.max_photo_pixels / 1e6:.0f} megapixels"
        raise PhotoRejected(f"is {width} x {height} pixels; at most {limit} are taken: make it smaller")
    if min(width, height) < limits.min_photo_side:
        raise PhotoTooSmall(f"is {width} x {height} pixels; its sides must be {limits.min_photo_side} at least")
    if os.fstat(original.fileno()).st_size > limits.max_photo_bytes:
        raise PhotoRejected(f"is larger than {limits.max_photo_bytes:,} bytes")


def _is_usable(image: Image.Image, exif: Image.Exif) -> bool:
    upright = exif.get(Base.Orientation, 1) not in pixels.TURNS
    is_rgb = image.format in ("JPEG", "MPO", "PNG") and image.mode == "RGB" and not _transparent(image)
    return upright and is_rgb and not pixels.has_other_colours(image)


def _transparent(image: Image.Image) -> bool:
    return "transparency" in image.info


def _check_content(image: Image.Image) -> None:
    """Decode all of the file; a JPEG at an eighth of its size, which reads every byte and is several times as fast."""
    image.draft("RGB", (max(image.width // 8, 1), max(image.height // 8, 1)))
    image.load()


def _decoded(image: Image.Image, original: BufferedReader, treatment: Treatment, check: Callable[[], None]) -> _Decoded:
    """Return the first picture of an open file, with 8 bits a channel."""
    deep, least_bits = deep_colour.is_deep(image), treatment.value_bits or 0
    image.load()
    check()
    if deep:
        with Image.open(checked(original, check), formats=FORMATS) as again:
            return _Decoded(*deep_colour.eight_bit(image, again, least_bits))
    bits = pixels.used_bits(image)
    return _Decoded(pixels.eight_bit(image, bits and max(bits, least_bits)), bits)


def _refuse_panorama(picture: Image.Image) -> None:
    if panorama.is_panorama(picture):
        raise Panorama("is a 360° panorama")


def _write_upright(
    decoded: _Decoded, exif: Image.Exif, target: Path, digest: str, treatment: Treatment, check: Callable[[], None]
) -> Prepared:
    """Write the picture, upright, as RGB, or RGBA where any of it is transparent."""
    check()
    stored = _rgb(_single(decoded.picture, treatment))
    check()
    straight = _masked_and_upright(stored, exif.get(Base.Orientation), treatment.mask)
    check()
    straight.info = decoded.picture.info
    _refuse_panorama(straight)
    has_alpha = straight.mode == "RGBA"
    file = target.with_suffix(".png" if has_alpha else ".jpg")
    _write(straight, file, check)
    return Prepared(file, digest, *straight.size, _focal(exif, *straight.size), has_alpha, decoded.bits)


def _single(picture: Image.Image, treatment: Treatment) -> Image.Image:
    if not treatment.is_pair:
        return picture
    try:
        return stereo_pair.left_picture(picture)
    except ValueError as error:
        raise PhotoRejected(str(error)) from error


def _masked_and_upright(stored: Image.Image, orientation: object, mask: Image.Image | None) -> Image.Image:
    if mask is None:
        return pixels.upright(stored, orientation)
    try:
        if masks.have_same_shape(stored, mask):
            return pixels.upright(masks.with_mask(stored, mask), orientation)
        return masks.with_mask(pixels.upright(stored, orientation), mask)
    except ValueError as error:
        raise PhotoRejected(f"has a mask that {error}") from error


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise PhotoRejected("has floating-point pixels; convert it to 8 bits")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    image = pixels.in_srgb(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    lowest, _ = rgba.getchannel("A").getextrema()
    return rgba if lowest != 255 else rgba.convert("RGB")


def _write(image: Image.Image, file: Path, check: Callable[[], None]) -> None:
    image.info.clear()
    with file.open("wb") as out:
        if file.suffix == ".png":
            image.save(checked(out, check), format="PNG", compress_level=1)
        else:
            image.save(checked(out, check), format="JPEG", quality=JPEG_QUALITY, subsampling=0)


def _exif(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - damaged EXIF raises anything, and a photo is good without it
        return Image.Exif()


def _focal(exif: Image.Exif, width: int, height: int) -> float | None:
    try:
        return focal_px(exif, width, height)
    except Exception:  # noqa: BLE001 - as above
        return None


class _decoding(contextlib.AbstractContextManager[None]):  # noqa: N801 - used like a function
    """Turns what Pillow raises on a file that is no image, or a damaged one, into `PhotoRejected`."""

    def __init__(self, original: BufferedReader) -> None:
        self._original = original

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        passed = PhotoRejected | MemoryError | JobCancelled
        if error is None or isinstance(error, passed) or not isinstance(error, Exception):
            return
        if isinstance(error, OSError) and error.errno is not None:
            return  # the storage, not the photo
        if isinstance(error, UnidentifiedImageError):
            self._original.seek(0)
            what = named_by_content(self._original.read(HEAD_BYTES))
            raise PhotoRejected(f"is {what or 'not an image that can be read, whatever its name says'}") from error
        if "truncated" in str(error):
            raise _CutShort(f"is cut short ({error})") from error
        raise PhotoRejected(f"is damaged ({error})") from error
