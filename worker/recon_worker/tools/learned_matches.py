"""Matches by learned features, as a file, and in a feature database beside what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pycolmap

from recon_worker.tools.pair_verification import pair_list, verification_options

LEAST_INLIERS = 40
"""Matches of a pair that fit one geometry. The network finds some in any two photos, and up to 30 of those fit by chance."""


@dataclass(frozen=True)
class LearnedMatches:
    """Features and matches of photos, by name."""

    places: Mapping[str, npt.NDArray[np.float32]]
    """(n, 2) of each photo, in pixels; the corner of the first pixel is 0, 0."""
    matches: Mapping[tuple[str, str], npt.NDArray[np.uint32]]
    """(m, 2) of pairs of photos: numbers of features of each."""

    def with_more(self, more: "LearnedMatches") -> "LearnedMatches":
        """Return these matches and those of other pairs of the same photos."""
        return LearnedMatches({**self.places, **more.places}, {**self.matches, **more.matches})

    def save(self, path: Path) -> None:
        """Write them into a file."""
        number = {name: index for index, name in enumerate(self.places)}
        places, matches = list(self.places.values()), list(self.matches.values())
        np.savez(
            path,
            names=np.array(list(number), dtype=str),
            places=np.concatenate([*places, np.empty((0, 2), np.float32)]),
            place_counts=np.array([len(of_photo) for of_photo in places], dtype=int),
            pairs=np.array([[number[one], number[other]] for one, other in self.matches], dtype=int).reshape(-1, 2),
            matches=np.concatenate([*matches, np.empty((0, 2), np.uint32)]),
            match_counts=np.array([len(of_pair) for of_pair in matches], dtype=int),
        )

    @classmethod
    def load(cls, path: Path) -> "LearnedMatches":
        """Read them from a file."""
        with np.load(path) as file:
            names = file["names"].tolist()
            places = np.split(file["places"], np.cumsum(file["place_counts"])[:-1])
            matches = np.split(file["matches"], np.cumsum(file["match_counts"])[:-1])
            pairs = [(names[one], names[other]) for one, other in file["pairs"]]
        # Splitting nothing leaves one empty part.
        return cls(dict(zip(names, places, strict=False)), dict(zip(pairs, matches, strict=False)))


def add_matches(database: Path, learned: LearnedMatches, seed: int) -> None:
    """Add features to those in a database, and the matches of pairs that fit one geometry; pairs that had other matches are verified again."""
    again = list[tuple[str, str]]()
    with pycolmap.Database.open(database) as opened:
        images = {image.name: image for image in opened.read_all_images()}
        cameras = {name: opened.read_camera(image.camera_id) for name, image in images.items()}
        first = {name: _add_features(opened, images[name].image_id, places) for name, places in learned.places.items()}
        for pair, matches in learned.matches.items():
            geometry = _geometry(learned, pair, cameras, seed)
            if len(geometry.inlier_matches) < LEAST_INLIERS:
                continue
            one, other = (images[name].image_id for name in pair)
            shift = np.array([first[name] for name in pair], np.uint32)
            if opened.exists_matches(one, other) and len(others := opened.read_matches(one, other)):
                _replace_pair(opened, one, other, np.concatenate([others, matches + shift]))
                again.append(pair)
            else:
                _replace_pair(opened, one, other, matches + shift)
                geometry.inlier_matches = geometry.inlier_matches + shift
                opened.write_two_view_geometry(one, other, geometry)
    with pair_list(again, database.parent) as listed:
        pycolmap.verify_matches(database, listed, verification_options(seed))


def _geometry(
    learned: LearnedMatches, pair: tuple[str, str], cameras: Mapping[str, pycolmap.Camera], seed: int
) -> pycolmap.TwoViewGeometry:
    """Return the geometry that most of a pair's learned matches fit, whatever other matches the pair has."""
    one, other = pair
    return pycolmap.estimate_two_view_geometry(
        cameras[one],
        learned.places[one].astype(np.float64),
        cameras[other],
        learned.places[other].astype(np.float64),
        learned.matches[pair],
        verification_options(seed),
    )


def _add_features(database: pycolmap.Database, image: int, places: npt.NDArray[np.float32]) -> int:
    """Put features at places, (n, 2), behind those of an image; return how many there were."""
    there = database.read_keypoints(image)
    # A feature is written with its scale and direction where those there have them: columns that only matching reads.
    added = np.zeros((len(places), there.shape[1] if len(there) else 2), np.float32)
    added[:, :2] = places
    if len(there):
        database.update_keypoints(image, np.concatenate([there, added]))
    elif database.exists_keypoints(image):
        database.update_keypoints(image, added)
    else:
        database.write_keypoints(image, added)
    return len(there)


def _replace_pair(database: pycolmap.Database, one: int, other: int, matches: npt.NDArray[np.uint32]) -> None:
    """Write matches, (m, 2), in place of those of a pair of images, which loses its geometry."""
    if database.exists_matches(one, other):
        database.delete_matches(one, other)
    if database.exists_two_view_geometry(one, other):
        database.delete_two_view_geometry(one, other)
    database.write_matches(one, other, matches)
