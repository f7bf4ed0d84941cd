"""A decoded picture as the stages want it: upright, 8 bits for each channel, in sRGB."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

BITS = (8, 10, 12, 14, 16)
"""How many bits of a deep value cameras use."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation (Exif 2.32, 4.6.4)."""

SAME_COLOUR = 2
"""Difference, in levels, between a profile's colours and sRGB's that is not visible."""

_MODES = {"RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK", "L": "L", "LA": "L"}
"""The mode in which a profile is applied, by the picture's own."""


def upright(image: Image.Image, orientation: object) -> Image.Image:
    """Return the picture turned as its EXIF orientation says; one that says nothing known is left as it is."""
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def used_bits(image: Image.Image) -> int | None:
    """Return how many bits the values of a deep grey picture use, None where it has 8 bits by its format."""
    if not image.mode.startswith("I"):
        return None
    _, largest = image.convert("I").getextrema()
    return bits_for(int(largest))  # type: ignore[arg-type]  # of one band, it is a number


def bits_for(largest: int) -> int:
    """Return with how many bits a camera writes pictures whose largest value is this one."""
    return next((bits for bits in BITS if largest.bit_length() <= bits), BITS[-1])


def eight_bit(image: Image.Image, bits: int | None) -> Image.Image:
    """Return a deep grey picture of which so many bits are used with 8 bits; Pillow's own conversion cuts off at 255."""
    if bits is None:
        return image
    scale = 255 / (2**bits - 1)
    return image.convert("I").point(lambda value: value * scale).convert("L")


def has_other_colours(image: Image.Image) -> bool:
    """Say whether the picture's embedded profile gives its values other colours than sRGB does."""
    profile, mode = image.info.get("icc_profile"), _MODES.get(image.mode)
    return profile is not None and mode is not None and _differs(bytes(profile), mode)


def in_srgb(image: Image.Image) -> Image.Image:
    """Return the picture with the colours of its embedded profile, in RGB; where it has none, or an unusable one, unchanged."""
    if not has_other_colours(image):
        return image
    mode = _MODES[image.mode]
    converted = _to_srgb(image.info["icc_profile"], mode).apply(image.convert(mode))
    if image.mode in ("RGBA", "LA"):
        converted.putalpha(image.getchannel("A"))
    return converted


def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    """Return what converts a picture of that mode. Raises OSError or PyCMSError where the profile is unusable."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


@lru_cache(maxsize=32)
def _differs(profile: bytes, mode: str) -> bool:
    """Say whether a profile is one that can be used, and that changes colours visibly."""
    try:
        transform = _to_srgb(profile, mode)
    except (OSError, ImageCms.PyCMSError):
        return False  # it is damaged, or of another kind of picture
    samples = _samples(mode)
    pairs = zip(samples.convert("RGB").tobytes(), transform.apply(samples).tobytes(), strict=True)
    return max(abs(before - after) for before, after in pairs) > SAME_COLOUR


def _samples(mode: str) -> Image.Image:
    """Return a picture with colours from all over the mode's range."""
    levels = range(0, 256, 51)
    if mode == "L":
        return Image.frombytes("L", (256, 1), bytes(range(256)))
    grid = bytes(value for red in levels for green in levels for blue in levels for value in (red, green, blue))
    return Image.frombytes("RGB", (len(grid) // 3, 1), grid).convert(mode)
