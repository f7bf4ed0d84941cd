"""Placing photos with one assumption on their cameras after the other, until one explains the photos."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pycolmap

from recon_worker.tools.camera_models import clustered, forget_focal_lengths, share_cameras
from recon_worker.tools.mapping import PlacedGroups
from recon_worker.tools.placement_requests import PlacementRequest

USUAL_ERROR = 0.0008
"""Mean reprojection error, as a share of the longer side, above which the cameras are not what they are taken for."""

SMALL_ERROR_PX = 0.7
"""The same in pixels, for small photos: features are no more exact than that in any photo."""

MUCH_SMALLER = 0.8
"""Share of the error with which another assumption explains the same photos better: each camera of its own explains any better."""

AS_GOOD = 1.2
"""Share of the error of photos with a camera each that photos which share cameras may have."""

Map = Callable[[Path], PlacedGroups]
"""Places the photos of a database."""


def place_with_cameras(request: PlacementRequest, names: list[str], map_photos: Map) -> PlacedGroups:
    """Return the best that the assumptions come to: cameras as they are given, without what EXIF says, and one for each photo."""
    with pycolmap.Database.open(request.database) as database:
        known = [camera.has_prior_focal_length for camera in database.read_all_cameras()]
    best, folder = map_photos(request.database), request.database.parent
    if any(known) and best.placed < request.enough:
        found = map_photos(forget_focal_lengths(request.database, folder / "unknown.db", request.seed))
        best = found if is_better(found, best) else best
    if is_doubtful(best, request.enough):
        found = map_photos(_with_cameras(request, folder / "each.db", [[name] for name in names], {}))
        best = _with_shared_cameras(request, found, names, map_photos) if is_better(found, best) else best
    return best


def is_doubtful(best: PlacedGroups, enough: int) -> bool:
    """Say whether other assumptions may do better: too few photos are placed, or they fit badly.

    What EXIF says is no reason to believe in cameras that fit badly: a photo that was cropped later keeps it.
    """
    return best.placed < enough or (best.relative_error > USUAL_ERROR and best.error_px > SMALL_ERROR_PX)


def is_better(found: PlacedGroups, best: PlacedGroups) -> bool:
    """Say whether other cameras place more photos, or the same with a much smaller error."""
    if found.placed != best.placed:
        return found.placed > best.placed
    return found.placed > 0 and found.error_px < MUCH_SMALLER * best.error_px


def _with_shared_cameras(
    request: PlacementRequest, each: PlacedGroups, names: list[str], map_photos: Map
) -> PlacedGroups:
    """Return what photos with a camera each come to where those of like focal lengths share one, if it fits as well."""
    cameras = each.cameras()
    focals = {name: camera.mean_focal_length() for name, camera in cameras.items()}
    sizes = {name: (camera.width, camera.height) for name, camera in cameras.items()}
    clusters = [
        cluster
        for size in sorted(set(sizes.values()))
        for cluster in clustered({name: focal for name, focal in focals.items() if sizes[name] == size})
    ]
    others = [[name] for name in names if name not in focals]
    database = request.database.parent / "shared.db"
    found = map_photos(_with_cameras(request, database, [*clusters, *others], focals))
    return found if found.placed >= each.placed and found.error_px <= AS_GOOD * each.error_px else each


def _with_cameras(
    request: PlacementRequest, database: Path, groups: list[list[str]], focals: Mapping[str, float]
) -> Path:
    """Write a database in which the photos of each group share a camera, with the median of their focal lengths (pixels)."""
    known = [sorted(focals[name] for name in group if name in focals) for group in groups]
    middles = [of_group[len(of_group) // 2] if of_group else None for of_group in known]
    return share_cameras(request.database, request.images, database, groups, middles, request.seed)
