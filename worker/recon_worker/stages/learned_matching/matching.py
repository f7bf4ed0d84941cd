"""Matching all photos of a set by learned features."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from recon_worker.progress import Progress
from recon_worker.stages.learned_matching.lighter_glue import LighterGlue
from recon_worker.stages.learned_matching.photo_pairs import choose_partners, count_alike, stacked
from recon_worker.stages.learned_matching.xfeat import SIDE_PX, Features, XFeat
from recon_worker.stages.parallel import device_in_use, for_each
from recon_worker.tools.learned_matches import LearnedMatches

PHOTO_PX = 1200
"""Longer side to which photos are scaled down for the network."""

FEATURES = 1024
"""Of each photo. Twice as many took five times as long, and placed the same photos."""

PARTNERS = 6
"""Photos that each photo is matched with."""


@dataclass(frozen=True)
class PhotoFile:
    """One photo, as a file."""

    name: str
    image: Path
    mask: Path | None = None
    """Picture of the same size, 0 where nothing is to be found."""


@dataclass(frozen=True)
class _Seen:
    """One photo as the network saw it."""

    features: Features
    seen_px: tuple[int, int]
    photo_px: tuple[int, int]

    def places(self) -> npt.NDArray[np.float32]:
        """Return where its features are, (n, 2), in pixels of the photo; the corner of the first pixel is 0, 0."""
        scale = np.array(self.photo_px) / np.array(self.seen_px)
        places: npt.NDArray[np.float32] = ((self.features.places.cpu().numpy() + 0.5) * scale).astype(np.float32)
        return places


def match_photos(photos: Sequence[PhotoFile], progress: Progress) -> LearnedMatches:
    """Return the features of all photos, and the matches of each with those that show most of the same."""
    device = device_in_use()
    seen = _look_at(photos, device, progress.part(0.0, 0.2))
    pairs = _pairs([photo.features for photo in seen], device, progress.part(0.2, 0.3))
    matches = _match(seen, pairs, device, progress.part(0.3, 1.0))
    names = [photo.name for photo in photos]
    return LearnedMatches(
        places={photo.name: view.places() for photo, view in zip(photos, seen, strict=True)},
        matches={
            (names[one], names[other]): found for (one, other), found in zip(pairs, matches, strict=True) if len(found)
        },
    )


def _look_at(photos: Sequence[PhotoFile], device: torch.device, progress: Progress) -> list[_Seen]:
    network, seen = XFeat(device), dict[int, _Seen]()

    def look(number: int, _: object) -> None:
        seen[number] = _see(photos[number], network)

    for_each(range(len(photos)), look, device, progress)
    return [seen[number] for number in range(len(photos))]


def _see(file: PhotoFile, network: XFeat) -> _Seen:
    with Image.open(file.image) as opened:
        photo = opened.convert("RGB")
    scale = min(1.0, PHOTO_PX / max(photo.size))
    width, height = (max(SIDE_PX, round(side * scale / SIDE_PX) * SIDE_PX) for side in photo.size)
    small = photo.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    features = network(torch.from_numpy(np.asarray(small).mean(-1, dtype=np.float32)), FEATURES)
    if file.mask is not None and file.mask.exists():
        features = _unmasked(features, file.mask, (width, height))
    return _Seen(features, (width, height), photo.size)


def _unmasked(features: Features, mask: Path, size_px: tuple[int, int]) -> Features:
    with Image.open(mask) as opened:
        shown = np.asarray(opened.convert("L").resize(size_px, Image.Resampling.NEAREST)) > 0
    columns, rows = features.places.round().long().cpu().unbind(-1)
    kept = torch.from_numpy(shown)[rows.clamp(0, size_px[1] - 1), columns.clamp(0, size_px[0] - 1)]
    kept = kept.to(features.places.device)
    return Features(features.places[kept], features.descriptors[kept])


def _pairs(photos: list[Features], device: torch.device, progress: Progress) -> list[tuple[int, int]]:
    descriptors = stacked(photos)
    alike = torch.zeros(len(photos), len(photos), dtype=torch.long)

    def compare(number: int, _: object) -> None:
        alike[number, number + 1 :] = count_alike(descriptors, number).cpu()

    for_each(range(len(photos)), compare, device, progress)
    return choose_partners(alike + alike.T, PARTNERS)


def _match(
    seen: list[_Seen], pairs: list[tuple[int, int]], device: torch.device, progress: Progress
) -> list[npt.NDArray[np.uint32]]:
    network, found = LighterGlue(device), dict[int, npt.NDArray[np.uint32]]()

    def match(number: int, _: object) -> None:
        one, other = (seen[photo] for photo in pairs[number])
        matches = network(one.features, other.features, one.seen_px, other.seen_px)
        found[number] = matches.cpu().numpy().astype(np.uint32)

    for_each(range(len(pairs)), match, device, progress)
    return [found[number] for number in range(len(pairs))]
