"""Tool: match features between photos and place the photos by incremental structure from motion.

Schönberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016, as COLMAP implements it.
"""

import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pycolmap

from recon_api.payload import PHOTOS_PLACED
from recon_worker.tools.camera_motion import only_turned, pair_motions
from recon_worker.tools.placement_requests import PlacementRequest
from recon_worker.tools.tool import main, report_fraction, report_metric

EXHAUSTIVE_LIMIT = 120
"""Photos up to which every pair is matched: 7,140 pairs, minutes on two cores."""

NEIGHBOURS = 12
"""In larger sets, each photo is matched with so many that follow it, ..."""

LANDMARKS = 40
"""... and with so many that are spread evenly over the set, which closes loops."""

PAIRS_PER_CALL = 60
"""Pairs matched between two lines of progress."""

MATCHING_SHARE = 0.75
"""Share of the tool's time that matching takes."""

MIN_MODEL = 3


def place_photos(request: PlacementRequest) -> Mapping[str, Any]:
    """Write the largest group of photos that could be placed; return its size and the photos of every group.

    Nothing is placed where the camera `only_turned` on the spot: whatever came of that would be wrong.
    """
    pycolmap.set_random_seed(request.seed)
    with pycolmap.Database.open(request.database) as database:
        names = sorted(image.name for image in database.read_all_images())
    _match(request, choose_pairs(len(names)), names)
    with pycolmap.Database.open(request.database) as database:
        features = {
            image.name: database.num_keypoints_for_image(image.image_id) for image in database.read_all_images()
        }
        turned = only_turned(list(pair_motions(database, request.seed)))
    groups = [] if turned else _map(request, len(names))
    if not groups:
        return {"placed": 0, "groups": [], "points": 0, "features": features, "only_turned": turned}
    largest = max(groups, key=lambda group: (group.num_reg_images(), group.num_points3D()))
    request.model.mkdir(parents=True, exist_ok=True)
    largest.write_binary(request.model)
    return {
        "placed": largest.num_reg_images(),
        "groups": sorted((_photos_of(group) for group in groups), key=len, reverse=True),
        "points": largest.num_points3D(),
        "features": features,
        "reprojection_error_px": round(largest.compute_mean_reprojection_error(), 3),
    }


def _photos_of(group: pycolmap.Reconstruction) -> list[str]:
    return sorted(group.image(number).name for number in group.reg_image_ids())


def choose_pairs(count: int) -> list[tuple[int, int]]:
    """Return the index pairs (i < j) of the photos to match: all of a small set; neighbours and landmarks of a large one."""
    if count <= EXHAUSTIVE_LIMIT:
        return list(itertools.combinations(range(count), 2))
    landmarks = range(0, count, max(1, count // LANDMARKS))
    near = {(i, j) for i in range(count) for j in range(i + 1, min(i + 1 + NEIGHBOURS, count))}
    far = {(min(i, j), max(i, j)) for i in range(count) for j in landmarks if i != j}
    return sorted(near | far)


def _match(request: PlacementRequest, pairs: list[tuple[int, int]], names: list[str]) -> None:
    matching = pycolmap.FeatureMatchingOptions()
    matching.use_gpu = False
    matching.guided_matching = request.effort.guided_matching
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = request.seed
    for start in range(0, len(pairs), PAIRS_PER_CALL):
        report_fraction(MATCHING_SHARE * start / len(pairs))
        chunk = pairs[start : start + PAIRS_PER_CALL]
        with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=request.database.parent) as listing:
            listing.write("".join(f"{names[i]} {names[j]}\n" for i, j in chunk))
            listing.flush()
            pairing = pycolmap.ImportedPairingOptions()
            pairing.match_list_path = Path(listing.name)
            pycolmap.match_image_pairs(
                request.database,
                matching_options=matching,
                pairing_options=pairing,
                verification_options=verification,
                device=pycolmap.Device.cpu,
            )


def _map(request: PlacementRequest, total: int) -> list[pycolmap.Reconstruction]:
    """Return the groups of photos that could be placed relative to each other."""
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = request.seed
    options.mapper.random_seed = request.seed
    options.triangulation.random_seed = request.seed
    # More threads add up residuals in another order each time: other poses, in the seventh digit, from the same photos.
    options.num_threads = 1
    options.mapper.num_threads = 1
    options.max_num_models = 4
    options.min_model_size = MIN_MODEL
    placed = itertools.count(3)

    def tell() -> None:
        done = min(next(placed), total)
        report_fraction(MATCHING_SHARE + (1 - MATCHING_SHARE) * done / total)
        report_metric(PHOTOS_PLACED, f"{done}/{total}")

    with tempfile.TemporaryDirectory(dir=request.database.parent) as scratch:
        groups = pycolmap.incremental_mapping(
            request.database, request.images, scratch, options=options, next_image_callback=tell
        )
    return list(groups.values())


if __name__ == "__main__":
    pycolmap.logging.minloglevel = pycolmap.logging.WARNING.value
    main(PlacementRequest, place_photos)
