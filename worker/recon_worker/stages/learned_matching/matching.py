"""Learned features of all photos of a set: which photos show the same, and their matches."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from recon_worker.progress import Progress
from recon_worker.stages.learned_matching.lighter_glue import LighterGlue
from recon_worker.stages.learned_matching.photo_pairs import count_alike, stacked
from recon_worker.stages.learned_matching.xfeat import SIDE_PX, Features, XFeat
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.tools.learned_matches import LearnedMatches

PHOTO_PX = 1000
"""Longer side to which photos are scaled down for the network."""

FEATURES = 1024
"""Of each photo. Twice as many took five times as long, and placed the same photos."""


@dataclass(frozen=True)
class PhotoFile:
    """One photo, as a file."""

    name: str
    image: Path
    mask: Path | None = None
    """Picture of the same size, 0 where nothing is to be found."""


@dataclass(frozen=True)
class SeenPhoto:
    """One photo as the network saw it."""

    name: str
    features: Features
    seen_px: tuple[int, int]
    photo_px: tuple[int, int]

    def places(self) -> npt.NDArray[np.float32]:
        """Return where its features are, (n, 2), in pixels of the photo; the corner of the first pixel is 0, 0."""
        scale = np.array(self.photo_px) / np.array(self.seen_px)
        places: npt.NDArray[np.float32] = ((self.features.places.cpu().numpy() + 0.5) * scale).astype(np.float32)
        return places


def see_photos(photos: Sequence[PhotoFile], progress: Progress) -> list[SeenPhoto]:
    """Return the photos, in order, with the features that the network finds."""
    device, found = device_in_use(), dict[int, SeenPhoto]()
    network = XFeat(device)

    def look(number: int, _: object) -> None:
        found[number] = _see(photos[number], network)

    for_each(range(len(photos)), look, device, progress)
    return [found[number] for number in range(len(photos))]


def count_shared(photos: Sequence[SeenPhoto], progress: Progress) -> torch.Tensor:
    """Return how many features each two photos share, (p, p) and symmetric, on the CPU."""
    descriptors = stacked([photo.features for photo in photos])
    alike = torch.zeros(len(photos), len(photos), dtype=torch.long)

    def compare(number: int, _: object) -> None:
        alike[number, number + 1 :] = count_alike(descriptors, number).cpu()

    for_each(range(len(photos)), compare, descriptors.device, progress)
    return alike + alike.T


def match_pairs(photos: Sequence[SeenPhoto], pairs: Sequence[tuple[int, int]], progress: Progress) -> LearnedMatches:
    """Return the features of all photos, and the matches of those pairs that have any."""
    device, found = device_in_use(), dict[int, npt.NDArray[np.uint32]]()
    network = LighterGlue(device)

    def match(number: int, _: object) -> None:
        one, other = (photos[photo] for photo in pairs[number])
        matches = network(one.features, other.features, one.seen_px, other.seen_px)
        found[number] = matches.cpu().numpy().astype(np.uint32)

    for_each(range(len(pairs)), match, device, progress)
    return LearnedMatches(
        places={photo.name: photo.places() for photo in photos},
        matches={
            (photos[one].name, photos[other].name): found[number]
            for number, (one, other) in enumerate(pairs)
            if len(found[number])
        },
    )


def _see(file: PhotoFile, network: XFeat) -> SeenPhoto:
    with Image.open(file.image) as opened:
        photo = opened.convert("RGB")
    scale = min(1.0, PHOTO_PX / max(photo.size))
    width, height = (max(SIDE_PX, round(side * scale / SIDE_PX) * SIDE_PX) for side in photo.size)
    small = photo.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    features = network(torch.from_numpy(np.asarray(small).mean(-1, dtype=np.float32)), FEATURES)
    if file.mask is not None and file.mask.exists():
        features = _unmasked(features, file.mask, (width, height))
    return SeenPhoto(file.name, features, (width, height), photo.size)


def _unmasked(features: Features, mask: Path, size_px: tuple[int, int]) -> Features:
    with Image.open(mask) as opened:
        shown = np.asarray(opened.convert("L").resize(size_px, Image.Resampling.NEAREST)) > 0
    columns, rows = features.places.round().long().cpu().unbind(-1)
    kept = torch.from_numpy(shown)[rows.clamp(0, size_px[1] - 1), columns.clamp(0, size_px[0] - 1)]
    kept = kept.to(features.places.device)
    return Features(features.places[kept], features.descriptors[kept])
