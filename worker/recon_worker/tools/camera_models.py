"""What may be assumed of the cameras of unplaced photos, and a copy of a feature database for each assumption.

Photos of one size share one camera where EXIF does not say more, which fits most sets best. It fails where somebody has zoomed,
and where EXIF is wrong.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import pycolmap

from recon_worker.tools.extract_features import camera_params, camera_reader
from recon_worker.tools.pair_verification import verification_options

USUAL_FOCAL = 1.2
"""Focal length to start from, as a share of the longer side, where nothing is known: COLMAP's own default."""

CLUSTER_GAP = 0.1
"""Focal lengths that differ by more than this share are of different zoom settings."""

LEAST_IN_CLUSTER = 3
"""Photos that can share a focal length with certainty."""


def forget_focal_lengths(database: Path, copy: Path, seed: int) -> Path:
    """Write a copy of a database in which no camera's focal length is known; return the copy."""
    shutil.copyfile(database, copy)
    with pycolmap.Database.open(copy) as opened:
        for camera in opened.read_all_cameras():
            focal_px = USUAL_FOCAL * max(camera.width, camera.height)
            camera.params = camera_params(focal_px, camera.width, camera.height)
            camera.has_prior_focal_length = False
            opened.update_camera(camera)
    _verify(copy, seed)
    return copy


def share_cameras(
    database: Path,
    images: Path,
    copy: Path,
    groups: Sequence[Sequence[str]],
    focals_px: Sequence[float | None],
    seed: int,
) -> Path:
    """Write a copy of a database in which the photos of each group, by name, share one camera; return the copy.

    `focals_px` has the focal length of each group, None where it is not known.
    """
    copy.unlink(missing_ok=True)
    pycolmap.Database.open(copy).close()
    with pycolmap.Database.open(database) as old:
        cameras = {camera.camera_id: camera for camera in old.read_all_cameras()}
        camera_of = {image.name: cameras[image.camera_id] for image in old.read_all_images()}
    for names, focal_px in zip(groups, focals_px, strict=True):
        camera = camera_of[names[0]]
        pycolmap.import_images(
            copy,
            images,
            camera_mode=pycolmap.CameraMode.SINGLE,
            image_names=list(names),
            options=camera_reader(focal_px, camera.width, camera.height),
        )
    _copy_matches(database, copy)
    _verify(copy, seed)
    return copy


def clustered(focals: Mapping[str, float]) -> list[list[str]]:
    """Return the photos by clusters of their focal lengths, in order; a photo that is alone makes a cluster of its own."""
    clusters: list[list[str]] = []
    last = 0.0
    for name, focal in sorted(focals.items(), key=lambda item: item[1]):
        if clusters and focal <= last * (1 + CLUSTER_GAP):
            clusters[-1].append(name)
        else:
            clusters.append([name])
        last = focal
    large = [sorted(cluster) for cluster in clusters if len(cluster) >= LEAST_IN_CLUSTER]
    return large + [[name] for cluster in clusters if len(cluster) < LEAST_IN_CLUSTER for name in cluster]


def _copy_matches(database: Path, copy: Path) -> None:
    with pycolmap.Database.open(database) as old, pycolmap.Database.open(copy) as new:
        names = {image.image_id: image.name for image in old.read_all_images()}
        ids = {image.name: image.image_id for image in new.read_all_images()}
        for number, name in names.items():
            new.write_keypoints(ids[name], old.read_keypoints(number))
        for pair, matches in zip(*old.read_all_matches(), strict=True):
            one, other = (ids[names[number]] for number in pycolmap.pair_id_to_image_pair(pair))
            new.write_matches(one, other, matches)


def _verify(database: Path, seed: int) -> None:
    with pycolmap.Database.open(database) as opened:
        opened.clear_two_view_geometries()
    pycolmap.geometric_verification(database, two_view_geometry_options=verification_options(seed))
