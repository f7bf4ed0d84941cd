"""Why too few photos could be placed: each photo is checked for flaws that keep it from being matched at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageStat

from recon_api import reasons
from recon_api.errors import UsageError

LOOKED_AT_PX = 256
"""Photos are made so small for a look at their brightness."""

DARK, BRIGHT = 12.0, 243.0
"""Mean luminance, 0 to 255, below and above which a photo is nearly black or white."""

LEAST_SHOWN = 0.03
"""Share of a photo that its mask must show."""

LEAST_FEATURES = 100
"""Of a photo that can be matched: a sharp one of anything with a pattern has thousands."""

SMALL_PX = 400
"""Longer side of a photo that is itself the cause where it has few features."""

NAMED = 3


@dataclass(frozen=True)
class PhotoEvidence:
    """What is known of one photo."""

    name: str
    """That the user gave it."""
    luminance: float
    """Mean, 0 to 255, of what its mask shows."""
    shown: float
    """Share that its mask shows; 1 without one."""
    features: int
    """How many were found in it."""
    longer_side_px: int = 4000


@dataclass(frozen=True)
class Flaw:
    """One thing that keeps a photo from being placed."""

    holds: Callable[[PhotoEvidence], bool]
    words: str
    """Of several photos, continuing a sentence that begins with their number."""
    advice: str


FLAWS = (
    Flaw(
        lambda photo: photo.shown < LEAST_SHOWN,
        "are hidden by their masks",
        "make masks in which the object is white",
    ),
    Flaw(lambda photo: photo.luminance < DARK, "are nearly black", "take them in more light"),
    Flaw(lambda photo: photo.luminance > BRIGHT, "are nearly white", "expose them for less time"),
    Flaw(
        lambda photo: photo.features < LEAST_FEATURES and photo.longer_side_px < SMALL_PX,
        "are too small to show detail",
        "give photos as large as the camera took them, 1,000 pixels and more along the longer side",
    ),
    Flaw(
        lambda photo: photo.features < LEAST_FEATURES,
        "show no detail, for they are blurred or of a plain surface",
        "hold the camera still, and put something with a pattern around a plain object",
    ),
)
"""In order: the first one that a photo has counts."""


def look_at(name: str, image: Path, mask: Path | None, features: int) -> PhotoEvidence:
    """Return what is known of the prepared photo in a file, with its mask of 0, which hides, and 255."""
    with Image.open(image) as photo:
        side_px = max(photo.size)
        photo.draft("L", (LOOKED_AT_PX, LOOKED_AT_PX))
        grey = photo.convert("L").resize((LOOKED_AT_PX, LOOKED_AT_PX), Image.Resampling.BOX)
    if mask is None or not mask.exists():
        return PhotoEvidence(name, ImageStat.Stat(grey).mean[0], 1.0, features, side_px)
    with Image.open(mask) as opened:
        shown = opened.convert("L").resize(grey.size, Image.Resampling.NEAREST)
    share = ImageStat.Stat(shown).mean[0] / 255
    luminance = ImageStat.Stat(grey, shown).mean[0] if share else 0.0
    return PhotoEvidence(name, luminance, share, features, side_px)


def refusal(placed: int, photos: Sequence[PhotoEvidence], needed: int) -> UsageError:
    """Return the error of photos of which too few could be placed: by what is wrong with so many, else by their overlap."""
    flawed = _by_flaw(photos)
    many = sum(map(len, flawed.values()))
    text = f"only {placed} of {len(photos)} photos could be placed relative to each other"
    if many and len(photos) - many < max(needed, many):
        found = "; ".join(f"{len(names)} {flaw.words} ({first_of(names)})" for flaw, names in flawed.items())
        advice = ", and ".join(flaw.advice for flaw in flawed)
        return UsageError(reasons.UNUSABLE_PHOTOS, f"{text}: {found}; {advice}")
    return UsageError(
        reasons.INSUFFICIENT_OVERLAP,
        f"{text}; take photos with more overlap (each should show two thirds of what the one before it did), in even light, all "
        "around the object",
    )


def _by_flaw(photos: Sequence[PhotoEvidence]) -> Mapping[Flaw, list[str]]:
    found: dict[Flaw, list[str]] = {}
    for photo in photos:
        if flaw := next((flaw for flaw in FLAWS if flaw.holds(photo)), None):
            found.setdefault(flaw, []).append(photo.name)
    return found


def first_of(names: Sequence[str], count: int = NAMED) -> str:
    """Return the first of the names as text."""
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
