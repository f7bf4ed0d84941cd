"""Whether the photos that could be placed are enough for a model, and what is said of the others."""

import math
from collections.abc import Sequence

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import JobWarning
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.unplaced_photos import first_of
from recon_worker.tools.placement_requests import CHEAP, Effort

LEAST_SHARE = 1 / 3
"""Share of the photos that must be placed.

With less than a third, what is placed is a fragment that nobody would take for the object.
"""

MOST_SHARE = 0.5
"""Share of the photos above which the largest group is what the job is about, whatever the others show."""

GROUP_SHARE = 0.2
"""Share of the photos from which a second group, that shares nothing with the first, may be another thing as well."""

LEAST_PHOTOS = 3
"""Two views give no check of a depth by a third one."""

WARNED_OF = 20
"""How many photos a warning names; the report names all."""

LEAST_POINTS = 50
"""A group with fewer points in common is an accident: five photos of anything with overlap share hundreds."""


def enough_placed(effort: Effort, photos: int, parameters: MultiViewParameters) -> int:
    """Return how many of so many photos must be placed, at this effort, for no greater effort to be made."""
    return photos if parameters.require_all_photos else math.ceil(effort.enough_share * photos)


def least_placed(photos: int) -> int:
    """Return how many of so many photos must be placed for a model to be made of them."""
    return max(LEAST_PHOTOS, math.ceil(LEAST_SHARE * photos))


def is_hopeless(placed: int, photos: int, effort: Effort) -> bool:
    """Say whether more features can't help: there are plenty, and still hardly any two photos show the same."""
    return effort is not CHEAP and placed < LEAST_SHARE * photos / 2


def require_one_thing(groups: Sequence[Sequence[str]], photos: int) -> None:
    """Raise UsageError(UNCONNECTED_PHOTOS) where a second group of many photos shares none with the first, largest one.

    A first one with most of the photos is taken all the same: better that than nothing.
    """
    if not groups or len(groups[0]) > MOST_SHARE * photos:
        return
    first = sorted(groups[0])
    others = [sorted(set(group) - set(first)) for group in groups[1:]]
    second = max(others, key=len, default=[])
    if len(second) < max(LEAST_PHOTOS, GROUP_SHARE * photos):
        return
    raise UsageError(
        reasons.UNCONNECTED_PHOTOS,
        f"the photos fall into groups that show nothing in common: {_named(first)} and {_named(second)}; if they show "
        "different things, make a job of each; if they show one thing, add photos from in between",
    )


def _named(group: Sequence[str]) -> str:
    return f"{len(group)} photos ({first_of(group)})"


def require_plausible_cameras(implausible: str) -> None:
    """Raise UsageError(IMPLAUSIBLE_CAMERAS) where something is found to be so, which continues a sentence on the photos."""
    if implausible:
        raise UsageError(
            reasons.IMPLAUSIBLE_CAMERAS,
            f"the photos {implausible}, which no camera has; give photos as the camera took them: not stitched, not cropped each "
            "in another way, not seen through water or curved glass, not from a fisheye lens",
        )


def require_all(left_out: Sequence[str], photos: int) -> None:
    """Raise UsageError(PHOTOS_NOT_PLACED) where any of so many photos could not be placed."""
    if left_out:
        raise UsageError(
            reasons.PHOTOS_NOT_PLACED,
            f"{len(left_out)} of {photos} photos could not be placed ({first_of(left_out)}), and parameters.requireAllPhotos is "
            "set; add photos from in between, remove these, or leave the parameter out",
        )


def require_all_usable(unusable: Sequence[str]) -> None:
    """Raise UsageError(PHOTOS_LEFT_OUT) where photos could not be used at all, which are named."""
    if unusable:
        count = "1 photo" if len(unusable) == 1 else f"{len(unusable)} photos"
        raise UsageError(
            reasons.PHOTOS_LEFT_OUT,
            f"{count} could not be used ({first_of(unusable)}), and parameters.requireAllPhotos is set; replace or remove them, or "
            "leave the parameter out",
        )


def not_placed(left_out: Sequence[str], photos: int) -> JobWarning:
    """Return the warning of a model that shows all but some of so many photos."""
    missing = "is not in the model, as it" if len(left_out) == 1 else "are not in the model, as they"
    return JobWarning(
        reason=reasons.PHOTOS_NOT_PLACED.name,
        message=f"{len(left_out)} of {photos} photos {missing} could not be placed: {first_of(left_out, WARNED_OF)}; "
        "add photos from in between",
    )
