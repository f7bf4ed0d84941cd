"""Placing photos with one effort after the other, until nearly all are placed."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import PLACING
from recon_worker.progress import Progress
from recon_worker.stages import prepare_images
from recon_worker.stages.learned_matching.matching import (
    PhotoFile,
    SeenPhoto,
    count_shared,
    match_pairs,
    see_photos,
)
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.placement_checks import enough_placed, is_hopeless
from recon_worker.stages.prepare_images import PhotoGroups
from recon_worker.tools.learned_matches import LearnedMatches
from recon_worker.tools.partners import choose_partners
from recon_worker.tools.placement_requests import (
    CHEAP,
    LADDER,
    Effort,
    FeatureRequest,
    PlacementRequest,
    SiftOptions,
)
from recon_worker.tools.runner import run_tool

logger = logging.getLogger(__name__)

EVERY_PAIR_LIMIT = 24
"""Photos up to which SIFT features of every pair are matched at once: few photos need all that there is."""

EVERY_PAIR_AT_LAST_LIMIT = 120
"""The same for the efforts that follow: 7,140 pairs, minutes on two cores."""


@dataclass(frozen=True)
class Rung:
    """What one rung of the ladder came to."""

    effort: Effort
    model: Path
    report: Mapping[str, Any]

    @property
    def rank(self) -> tuple[int, int]:
        """Order by photos placed, then by points."""
        return int(self.report["placed"]), int(self.report["points"])

    def photo_groups(self, photos: PhotoGroups) -> list[list[str]]:
        """Return the user's names of the photos in each group that was placed, largest group first."""
        return [[photos.sources[name] for name in group] for group in self.report["groups"]]


@dataclass
class Ladder:
    """Prepared photos, and what was found in them so far."""

    prepared: Path
    """Folder of the artefact of `recon_worker.stages.prepare_images`."""
    folder: Path
    """To work in."""
    groups: PhotoGroups
    parameters: MultiViewParameters
    _databases: dict[SiftOptions, Path] = field(default_factory=dict)
    """With the features that were found with these options, and their matches, but no learned features."""
    _seen: list[SeenPhoto] | None = None
    _shared: Tensor | None = None
    """How many features each two photos share, (p, p)."""
    _learned: LearnedMatches = field(default_factory=lambda: LearnedMatches({}, {}))
    _matched: set[tuple[int, int]] = field(default_factory=set)
    """Pairs whose learned features were matched, whether they have any matches or not."""

    def climb(self, progress: Progress) -> Rung:
        """Try efforts in order until nearly all photos are placed; return the best result.

        Raises UsageError(CAMERA_DID_NOT_MOVE) where all photos were taken from one spot.
        """
        self._databases = {CHEAP.sift: self.prepared / prepare_images.DATABASE}
        best: Rung | None = None
        photos = len(self.groups.sources)
        for number, effort in enumerate(LADDER):
            # A rung that is not the last one is most likely to do; so each takes half of what is left of the percentages.
            span = progress.part(1 - 0.5**number, 1 - 0.5 ** (number + 1))
            progress.metric(PLACING, f"{effort.name}, {number + 1} of {len(LADDER)}")
            rung = self._try(effort, span)
            logger.info("effort %s places %d of %d photos", effort.name, rung.rank[0], photos)
            _require_motion(rung)
            if best is None or rung.rank > best.rank:
                best = rung
            placed = best.rank[0]
            if placed >= enough_placed(effort, photos, self.parameters) or is_hopeless(placed, photos, effort):
                break
        if best is None:
            raise AssertionError("the ladder has rungs")
        return best

    def _try(self, effort: Effort, progress: Progress) -> Rung:
        folder, photos = self.folder / effort.name, len(self.groups.sources)
        folder.mkdir(parents=True)
        request = PlacementRequest(
            database=self._database(effort, folder, progress.part(0.0, 0.3)),
            images=self.prepared / "images",
            model=folder / "model",
            learned=self._learned_matches(effort.partners, folder, progress.part(0.3, 0.6))
            if effort.partners
            else None,
            every_pair=photos <= (EVERY_PAIR_AT_LAST_LIMIT if effort.partners else EVERY_PAIR_LIMIT),
            enough=enough_placed(CHEAP, photos, self.parameters),
            budget_s=effort.budget_s * photos,
            seed=self.parameters.seed,
        )
        report = run_tool("place_photos", request, folder, progress.part(0.6 if effort.partners else 0.0, 1.0))
        return Rung(effort, folder / "model", report)

    def _database(self, effort: Effort, folder: Path, progress: Progress) -> Path:
        """Return a database in a folder with the SIFT features of an effort, matched where they were before."""
        database = folder / prepare_images.DATABASE
        if found := self._databases.get(effort.sift):
            shutil.copyfile(found, database)
        else:
            request = FeatureRequest(
                database=database,
                images=self.prepared / "images",
                masks=prepare_images.masks_in(self.prepared),
                groups=self.groups.groups,
                sift=effort.sift,
            )
            run_tool("extract_features", request, folder, progress)
        if not effort.partners:
            self._databases[effort.sift] = database
        return database

    def _learned_matches(self, partners: int, folder: Path, progress: Progress) -> Path:
        """Return a file in a folder of the matches of learned features; no pair is matched twice."""
        pairs, seen = self._partners(partners, progress.part(0.0, 0.3))
        more = [pair for pair in pairs if pair not in self._matched]
        if more:
            self._learned = self._learned.with_more(match_pairs(seen, more, progress.part(0.3, 1.0)))
        self._matched.update(more)
        path = folder / "learned.npz"
        self._learned.save(path)
        return path

    def _partners(self, count: int, progress: Progress) -> tuple[list[tuple[int, int]], list[SeenPhoto]]:
        """Return the pairs of each photo and the `count` that share most with it, and all photos."""
        seen = self._seen_photos(progress.part(0.0, 0.7))
        if self._shared is None:
            self._shared = count_shared(seen, progress.part(0.7, 1.0))
        return choose_partners(self._shared.numpy(), range(count)), seen

    def _seen_photos(self, progress: Progress) -> list[SeenPhoto]:
        """Return all photos with their learned features, which are found once."""
        if self._seen is None:
            masks = prepare_images.masks_in(self.prepared)
            photos = [
                PhotoFile(name, self.prepared / "images" / name, masks and masks / f"{name}.png")
                for name in sorted(self.groups.sources)
            ]
            self._seen = see_photos(photos, progress)
        return self._seen


def _require_motion(rung: Rung) -> None:
    if rung.report.get("one_view"):
        raise UsageError(
            reasons.CAMERA_DID_NOT_MOVE,
            "all photos show one and the same view, so they show no depth; give photos from all around the object, not copies of "
            "one",
        )
    if rung.report.get("only_turned"):
        raise UsageError(
            reasons.CAMERA_DID_NOT_MOVE,
            "the camera only turned on the spot, so the photos show no depth; walk around the object, and take each photo from "
            "another place, a step to the side",
        )
