"""Masks that lie beside photos, as other programs name them: black hides, whatever else shows.

| name | who names it so |
|---|---|
| `chair.jpg.mask.png`, `chair.mask.png` | OpenMVS |
| `chair_mask.png` | Metashape and others |
| `masks/chair.jpg.png` | COLMAP |
| `masks/chair.png` | Meshroom |

A folder of masks lies beside the photos or beside their folder, with the same folders below it.
"""

from collections.abc import Collection, Iterator
from io import BufferedReader
from pathlib import PurePosixPath

from PIL import Image

from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.pixels import used_bits

SUFFIX = ".png"
ENDINGS = (".mask", "_mask")
FOLDERS = frozenset({"mask", "masks"})

SAME_SHAPE = 0.02
"""By how much the shapes of a photo and of its mask may differ, which may have been made smaller."""


def masks_of(names: Collection[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
    """Return the names of the masks among these images, by the names of their photos."""
    by_name = {name: name for name in names} | {name.with_suffix(""): name for name in names if not _is_named_so(name)}
    found: dict[PurePosixPath, PurePosixPath] = {}
    for mask in filter(_is_named_so, names):
        photo = next((by_name[each] for each in _hidden_by(mask) if each in by_name and by_name[each] != mask), None)
        if photo is not None and not _is_named_so(photo):
            found.setdefault(photo, mask)
    return found


def read_mask(file: BufferedReader, limits: InputLimits) -> Image.Image:
    """Return the mask in an open file. Raises ValueError, continuing a sentence that begins with the mask's name."""
    try:
        mask = Image.open(file, formats=("PNG",))
        if mask.width * mask.height > limits.max_photo_pixels:
            raise ValueError(f"is {mask.width} x {mask.height} pixels, which is more than a photo may have")
        mask.load()
    except (OSError, SyntaxError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the storage, not the mask
        raise ValueError(f"can't be read as PNG ({error})") from error
    return mask


def have_same_shape(picture: Image.Image, mask: Image.Image) -> bool:
    """Say whether a mask may be this picture's, which may be larger."""
    shape, of_mask = picture.width / picture.height, mask.width / mask.height
    return abs(shape - of_mask) <= SAME_SHAPE * shape


def with_mask(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the picture as RGBA, transparent where the mask is black.

    Raises ValueError, continuing a sentence that begins with the mask's name, where it is of another shape or hides all.
    """
    if not have_same_shape(picture, mask):
        raise ValueError(f"is {mask.width} x {mask.height} pixels, its photo {picture.width} x {picture.height}")
    shown = _levels(mask).point(lambda value: 255 * (value > 0))
    if shown.getextrema() == (0, 0):
        raise ValueError("hides all of its photo; white must show the object")
    alpha = shown.resize(picture.size, Image.Resampling.NEAREST)
    if "A" in picture.getbands():
        alpha = Image.composite(picture.getchannel("A"), Image.new("L", picture.size), alpha)
    masked = picture.convert("RGB")
    masked.putalpha(alpha)
    return masked


def _is_named_so(name: PurePosixPath) -> bool:
    """Say whether a mask may be named so; it is one if there is a photo to it."""
    ends = any(name.stem.lower().endswith(ending) for ending in ENDINGS)
    return name.suffix.lower() == SUFFIX and (ends or any(part.lower() in FOLDERS for part in name.parts[:-1]))


def _hidden_by(mask: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the names, with their endings or without, that the mask's photo may have."""
    stem = PurePosixPath(mask.stem)
    for ending in ENDINGS:
        if mask.stem.lower().endswith(ending):
            yield mask.parent / mask.stem[: -len(ending)]
    folder = next((i for i, part in enumerate(mask.parts[:-1]) if part.lower() in FOLDERS), None)
    if folder is None:
        return
    around, below = PurePosixPath(*mask.parts[:folder]), PurePosixPath(*mask.parts[folder + 1 : -1])
    for beside in ("", "images", "photos", "imgs", "rgb", "input"):
        yield around / beside / below / stem


def _levels(mask: Image.Image) -> Image.Image:
    """Return a mask in 8 bits; what hides is 0 in every channel, or transparent."""
    if used_bits(mask) is not None:
        return mask.convert("I").convert("L")  # what is more than 255 becomes 255
    if mask.mode in ("LA", "RGBA", "PA") or "transparency" in mask.info:
        rgba = mask.convert("RGBA")
        return Image.composite(rgba.convert("L"), Image.new("L", mask.size), rgba.getchannel("A"))
    return mask.convert("L")
