"""Incremental structure from motion on the verified matches of a database.

Schönberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016, as COLMAP implements it.
"""

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pycolmap

MIN_MODEL = 3
"""Photos of the smallest group that is kept."""

LEAST_SEEN = 25
"""Points that a photo must share with the others: with fewer it may fit by chance, at a place that is entirely wrong."""

MOST_GROUPS = 4

GROWTH = 1.3
"""Factor that photos or points have grown by when all of them are adjusted again."""

TOLERANCE = 1e-4
"""Change of the sum of errors, as a share, with which an adjustment of all of them ends: the last one, of exact features, goes on from there."""

NO_ERROR_PX = 0.0
"""Stands for the reprojection error of no points."""


@dataclass(frozen=True)
class PlacedGroups:
    """The groups of photos that could be placed relative to each other, the largest first."""

    groups: tuple[pycolmap.Reconstruction, ...]

    @property
    def placed(self) -> int:
        """How many photos the largest group has."""
        return self.groups[0].num_reg_images() if self.groups else 0

    @property
    def points(self) -> int:
        """How many points these photos share."""
        return self.groups[0].num_points3D() if self.groups else 0

    @property
    def error_px(self) -> float:
        """Mean distance between where a point is and where it should be in those photos."""
        return self.groups[0].compute_mean_reprojection_error() if self.groups else NO_ERROR_PX

    @property
    def relative_error(self) -> float:
        """The same as a share of the longer side of the photos."""
        return self.error_px / max((max(camera.width, camera.height) for camera in self.cameras().values()), default=1)

    def cameras(self) -> dict[str, pycolmap.Camera]:
        """Return the camera of each photo of the largest group, by the photo's name."""
        if not self.groups:
            return {}
        group = self.groups[0]
        images = sorted((group.image(number) for number in group.reg_image_ids()), key=lambda image: image.name)
        return {image.name: group.cameras[image.camera_id] for image in images}


def photos_of(group: pycolmap.Reconstruction) -> list[str]:
    """Return the names of a group's photos, in order."""
    return sorted(group.image(number).name for number in group.reg_image_ids())


def map_photos(
    database: Path, images: Path, seed: int, budget_s: float, placed_one: Callable[[int], None]
) -> PlacedGroups:
    """Place the photos of a database; `placed_one` is called with how many are placed. What takes longer than the budget is left."""
    options = pycolmap.IncrementalPipelineOptions()
    options.random_seed = seed
    options.mapper.random_seed = seed
    options.triangulation.random_seed = seed
    # More threads add up residuals in another order each time: other poses, in the seventh digit, from the same photos.
    options.num_threads = 1
    options.mapper.num_threads = 1
    options.max_num_models = MOST_GROUPS
    options.min_model_size = MIN_MODEL
    options.max_runtime_seconds = round(budget_s)
    # Cameras and points are adjusted once more when the places of features are exact: until then coarse is enough.
    options.ba_global_frames_ratio = options.ba_global_points_ratio = GROWTH
    options.ba_global_max_refinements = 2
    options.ba_global_function_tolerance = TOLERANCE
    placed = itertools.count(MIN_MODEL)
    with tempfile.TemporaryDirectory(dir=database.parent) as scratch:
        groups = pycolmap.incremental_mapping(
            database, images, scratch, options=options, next_image_callback=lambda: placed_one(next(placed))
        )
    for group in groups.values():
        without_loose_photos(group)
    return PlacedGroups(
        tuple(
            sorted(
                filter(pycolmap.Reconstruction.num_reg_images, groups.values()),
                key=lambda group: (-group.num_reg_images(), -group.num_points3D()),
            )
        )
    )


def without_loose_photos(group: pycolmap.Reconstruction) -> None:
    """Take photos out of a group that share too few points with the others; fewer are left to those that remain."""
    while loose := [
        group.image(number).frame_id
        for number in group.reg_image_ids()
        if group.image(number).num_points3D < LEAST_SEEN
    ]:
        for frame in loose:
            group.deregister_frame(frame)
