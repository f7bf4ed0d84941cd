"""Finding out that the camera only turned on the spot, or did not even that, from the matches between photos: no depth can be seen then.

Between two photos of one camera from one spot, all points move by one homography K R K^-1, however far away they are (Hartley
and Zisserman, Multiple View Geometry in Computer Vision, 2nd edition, 2004, 8.4.2). A flat scene seen from two places makes a
homography too, but no rotation between calibrated rays. Structure from motion does not notice: with another focal length it
explains the same photos by a walk.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pycolmap

Array = npt.NDArray[np.float64]

LEAST_MATCHES = 40
"""Of a pair that says anything about motion."""

SAME_VIEW = 0.01
"""How far points move between two photos of one view, as a share of the longer side: copies that were cut a little, or hands that shook."""

LEAST_PAIRS = 2

TRIED_PAIRS = 60
"""About so many of the pairs are looked at, spread evenly over all."""

MAX_ERROR = 0.003
"""Of a match that a homography explains, as a share of the photo's longer side."""

EXPLAINED = 0.9
"""Share of a pair's verified matches that one homography explains where there is no depth to be seen."""

MAX_DEVIATION = 0.03
"""How far from a rotation a homography between rays may be; a step sideways of 3 % of the distance to a wall makes as much."""

MAX_RELATIVE_DEVIATION = 0.25
"""The same as a share of all motion. With a long focal length small steps along a wall look like small turns; but a step is all
deviation."""

STANDS_STILL = 0.005
"""Motion of rays that is hardly any: half of what a match's place may be off."""

MOST_PAIRS = 0.9
"""Share of the pairs that must be without depth: a few photos from one spot are in many a good set."""

FOCAL_TOLERANCE = 0.15
"""How far from what EXIF says the focal length may be, as a share of it."""

FOCAL_LENGTHS = np.geomspace(0.3, 6.0, 80)
"""That are tried, as shares of the longer side."""


@dataclass(frozen=True)
class PairMotion:
    """How the points of two photos of one camera move."""

    homography: Array
    """(3, 3) between places from the middle of the photo, in units of its longer side."""
    explained: float
    """Share of the verified matches that it explains."""
    focal: float | None = None
    """Focal length that the photos' EXIF says, in units of the longer side, where it says one."""


def only_turned(pairs: Sequence[PairMotion]) -> bool:
    """Say whether the camera has not changed its place in nearly all pairs, for one and the same focal length."""
    flat = [pair for pair in pairs if pair.explained >= EXPLAINED]
    if len(pairs) < LEAST_PAIRS or len(flat) < MOST_PAIRS * len(pairs):
        return False
    turned = np.array([_turned(pair.homography) & _possible(pair.focal) for pair in flat]).sum(axis=0)
    return int(turned.max()) >= MOST_PAIRS * len(pairs)


def show_one_view(pairs: Sequence[PairMotion]) -> bool:
    """Say whether nearly all photos, of which the camera `only_turned`, show the same."""
    corners = np.array([[x, y, 1.0] for x in (-0.5, 0.5) for y in (-0.5, 0.5)])
    moved = [corners @ pair.homography.T for pair in pairs]
    still = [float(np.abs(there[:, :2] / there[:, 2:] - corners[:, :2]).max()) <= SAME_VIEW for there in moved]
    return sum(still) >= MOST_PAIRS * len(pairs)


def _turned(homography: Array) -> npt.NDArray[np.bool_]:
    """Return for each of FOCAL_LENGTHS whether the homography (3, 3) is a rotation of the rays, (k,)."""
    scale = np.ones((len(FOCAL_LENGTHS), 3))
    scale[:, :2] = FOCAL_LENGTHS[:, None]
    rays = homography * scale[:, None, :] / scale[:, :, None]
    rays = rays / np.cbrt(np.linalg.det(rays))[:, None, None]
    deviation = np.linalg.norm(rays @ rays.transpose(0, 2, 1) - np.eye(3), axis=(1, 2))
    motion = np.linalg.norm(rays - np.eye(3), axis=(1, 2))
    return np.asarray(deviation <= np.clip(MAX_RELATIVE_DEVIATION * motion, STANDS_STILL, MAX_DEVIATION))


def _possible(focal: float | None) -> npt.NDArray[np.bool_]:
    """Return which of FOCAL_LENGTHS a photo may have, (k,)."""
    if focal is None:
        return np.ones(len(FOCAL_LENGTHS), bool)
    return np.asarray(np.abs(FOCAL_LENGTHS / focal - 1) <= FOCAL_TOLERANCE)


def pair_motions(database: pycolmap.Database, seed: int) -> Iterator[PairMotion]:
    """Yield how points move between each two photos of one camera that share enough verified matches."""
    eligible = [
        (pair_id, geometry.inlier_matches)
        for pair_id, geometry in zip(*database.read_two_view_geometries(), strict=True)
        if len(geometry.inlier_matches) >= LEAST_MATCHES
    ]
    images = {image.image_id: image for image in database.read_all_images()}
    cameras = {camera.camera_id: camera for camera in database.read_all_cameras()}
    places: dict[int, Array] = {}
    for pair_id, matches in eligible[:: max(1, len(eligible) // TRIED_PAIRS)]:
        one, other = (images[number] for number in pycolmap.pair_id_to_image_pair(pair_id))
        if one.camera_id != other.camera_id:
            continue
        for image in (one, other):
            if image.image_id not in places:
                places[image.image_id] = _centred(database, image.image_id, cameras[image.camera_id])
        if motion := _motion(places[one.image_id][matches[:, 0]], places[other.image_id][matches[:, 1]], seed):
            yield replace(motion, focal=_known_focal(cameras[one.camera_id]))


def _known_focal(camera: pycolmap.Camera) -> float | None:
    """Return a camera's focal length in units of its longer side, where its photos' EXIF says it."""
    return camera.mean_focal_length() / max(camera.width, camera.height) if camera.has_prior_focal_length else None


def _centred(database: pycolmap.Database, image_id: int, camera: pycolmap.Camera) -> Array:
    """Return where a photo's features are, (n, 2), from its middle, in units of its longer side."""
    middle = np.array([camera.width, camera.height]) / 2
    return np.asarray((database.read_keypoints(image_id)[:, :2] - middle) / max(camera.width, camera.height))


def _motion(one: Array, other: Array, seed: int) -> PairMotion | None:
    """Return the homography between matched places (n, 2) and (n, 2), and how much it explains."""
    options = pycolmap.RANSACOptions(max_error=MAX_ERROR, random_seed=seed)
    found = pycolmap.estimate_homography_matrix(one, other, options)
    if found is None or np.linalg.det(found["H"]) == 0:
        return None
    return PairMotion(np.asarray(found["H"]), float(np.mean(found["inlier_mask"])))
