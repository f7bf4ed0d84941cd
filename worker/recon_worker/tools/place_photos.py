"""Tool: match features between photos, and place the photos by `recon_worker.tools.mapping`."""

import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pycolmap

from recon_api.payload import PHOTOS_PLACED
from recon_worker.tools.alike_photos import most_alike
from recon_worker.tools.camera_limits import implausible
from recon_worker.tools.camera_motion import only_turned, pair_motions, show_one_view
from recon_worker.tools.camera_trials import Map, place_with_cameras
from recon_worker.tools.learned_matches import LearnedMatches, add_matches
from recon_worker.tools.mapping import PlacedGroups, map_photos, photos_of
from recon_worker.tools.pair_verification import pair_list, verification_options
from recon_worker.tools.placement_requests import TRACKS, PlacementRequest
from recon_worker.tools.tool import main, report_fraction, report_metric
from recon_worker.tools.tracks import Tracks

NEIGHBOURS = 2
"""Where not every pair is matched, each photo is matched with so many that follow it: they were often taken after each other."""

MATCHING_SHARE = 0.75
"""Share of the tool's time that matching takes."""

PAIRS_PER_CALL = 300
"""Pairs of photos that are matched between two looks at the budget. Each call builds the search index of its photos again."""


def place_photos(request: PlacementRequest) -> Mapping[str, Any]:
    """Write the largest group of photos that could be placed; return its size, its cameras and the photos of every group.

    Nothing is placed where the camera `only_turned` on the spot: whatever came of that would be wrong.
    """
    pycolmap.set_random_seed(request.seed)
    with pycolmap.Database.open(request.database) as database:
        names = sorted(image.name for image in database.read_all_images())
        pairs = near_first(choose_pairs(database, names, every_pair=request.every_pair))
    _match(request, [(names[i], names[j]) for i, j in pairs])
    with pycolmap.Database.open(request.database) as database:
        features = {
            image.name: database.num_keypoints_for_image(image.image_id) for image in database.read_all_images()
        }
    if request.learned:
        add_matches(request.database, LearnedMatches.load(request.learned), request.seed)
    with pycolmap.Database.open(request.database) as database:
        motions = list(pair_motions(database, request.seed))
    turned = only_turned(motions)
    found = PlacedGroups(()) if turned else place_with_cameras(request, names, _mapper(request, len(names)))
    if not found.groups:
        one_view = turned and show_one_view(motions)
        found_nothing: dict[str, Any] = {"placed": 0, "groups": [], "points": 0}
        return found_nothing | {"features": features, "only_turned": turned, "one_view": one_view}
    request.model.mkdir(parents=True, exist_ok=True)
    found.groups[0].write_binary(request.model)
    Tracks.of(found.groups[0]).save(request.model / TRACKS)
    cameras = list(found.cameras().values())
    return {
        "placed": found.placed,
        "groups": [photos_of(group) for group in found.groups],
        "points": found.points,
        "features": features,
        "reprojection_error_px": round(found.error_px, 3),
        "cameras": len({camera.camera_id for camera in cameras}),
        "implausible": implausible(cameras),
    }


def near_first(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return index pairs in the order in which they are matched: those of neighbours first, for the budget may end."""
    return sorted(pairs, key=lambda pair: (pair[1] - pair[0], pair))


def choose_pairs(database: pycolmap.Database, names: Sequence[str], *, every_pair: bool) -> list[tuple[int, int]]:
    """Return the index pairs (i < j) of the photos to match: every pair, or neighbours and photos that look alike."""
    count = len(names)
    if every_pair:
        return list(itertools.combinations(range(count), 2))
    near = {(i, j) for i in range(count) for j in range(i + 1, min(i + 1 + NEIGHBOURS, count))}
    return sorted(near.union(most_alike(database, names)))


def _match(request: PlacementRequest, pairs: Sequence[tuple[str, str]]) -> None:
    """Match the pairs of photos, by name, in order, until all are matched or the budget is spent.

    Pairs that are matched already are passed over.
    """
    matching = pycolmap.FeatureMatchingOptions()
    matching.use_gpu = False
    pairing = pycolmap.ImportedPairingOptions()
    end = time.process_time() + request.budget_s
    for start in range(0, len(pairs), PAIRS_PER_CALL):
        if time.process_time() > end:
            return
        report_fraction(MATCHING_SHARE * start / len(pairs))
        chunk = pairs[start : start + PAIRS_PER_CALL]
        with pair_list(chunk, request.database.parent) as listed:
            pairing.match_list_path = listed
            pycolmap.match_image_pairs(
                request.database,
                matching_options=matching,
                pairing_options=pairing,
                verification_options=verification_options(request.seed),
                device=pycolmap.Device.cpu,
            )


def _mapper(request: PlacementRequest, total: int) -> Map:
    """Return what places the photos of a database within the rung's budget, and reports how many are placed."""

    def placed_one(count: int) -> None:
        done = min(count, total)
        report_fraction(MATCHING_SHARE + (1 - MATCHING_SHARE) * done / total)
        report_metric(PHOTOS_PLACED, f"{done}/{total}")

    return lambda database: map_photos(database, request.images, request.seed, request.budget_s, placed_one)


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(PlacementRequest, place_photos)
