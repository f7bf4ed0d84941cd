"""Which efforts are made, and what each takes over from the one before. The tools are stood in for: they take minutes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import BaseModel

from recon_worker.progress import Progress
from recon_worker.stages import placement_ladder
from recon_worker.stages.learned_matching.matching import PhotoFile, SeenPhoto
from recon_worker.stages.learned_matching.xfeat import Features
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.placement_ladder import Ladder
from recon_worker.stages.prepare_images import DATABASE, PhotoGroups
from recon_worker.tools.learned_matches import LearnedMatches
from recon_worker.tools.placement_requests import FeatureRequest, PlacementRequest

PHOTOS = 10


class Tools:
    """Places the given numbers of photos, one for each effort, and records the requests."""

    def __init__(self, placed: list[int]) -> None:
        self.left, self.done = list(placed), list[str]()

    def run(self, name: str, request: BaseModel, *_: object) -> dict[str, Any]:
        self.done.append(name)
        if isinstance(request, FeatureRequest):
            request.database.write_text("other features")
        if isinstance(request, PlacementRequest):
            self.done[-1] += f", {request.database.read_text()}"
            self.done[-1] += f", {len(LearnedMatches.load(request.learned).matches)} learned" if request.learned else ""
            request.database.write_text(request.database.read_text() + ", matched")
        return {"placed": self.left.pop(0) if isinstance(request, PlacementRequest) else 0, "points": 1000}

    def see(self, photos: list[PhotoFile], _: Progress) -> list[SeenPhoto]:
        self.done.append(f"see {len(photos)} photos")
        nothing = Features(torch.zeros(0, 2), torch.zeros(0, 64))
        return [SeenPhoto(photo.name, nothing, (640, 480), (640, 480)) for photo in photos]

    def count(self, photos: list[SeenPhoto], _: Progress) -> torch.Tensor:
        """As if each photo were taken next to those beside it in the order of names."""
        numbers = torch.arange(len(photos))
        return (100 - (numbers - numbers[:, None]).abs()).clamp(min=0).fill_diagonal_(0)

    def match(self, photos: list[SeenPhoto], pairs: list[tuple[int, int]], _: Progress) -> LearnedMatches:
        self.done.append(f"match {len(pairs)} pairs")
        places = {photo.name: np.zeros((0, 2), np.float32) for photo in photos}
        nothing = np.zeros((0, 2), np.uint32)
        return LearnedMatches(places, {(photos[one].name, photos[other].name): nothing for one, other in pairs})

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, stand_in in {
            "run_tool": self.run,
            "see_photos": self.see,
            "count_shared": self.count,
            "match_pairs": self.match,
        }.items():
            monkeypatch.setattr(placement_ladder, name, stand_in)


FIRST = "place_photos, features"
SECOND = ["see 10 photos", "match 23 pairs", "place_photos, features, matched, 23 learned"]
THIRD = ["match 21 pairs", "place_photos, features, matched, 44 learned"]
LAST = ["extract_features", "place_photos, other features, 44 learned"]


@pytest.mark.parametrize(
    ("placed", "done", "taken"),
    [
        pytest.param([9], [FIRST], "cheap", id="the first places nearly all"),
        pytest.param([5, 10], [FIRST, *SECOND], "learned", id="the second uses what the first matched"),
        pytest.param([5, 9, 9], [FIRST, *SECOND, *THIRD], "learned", id="the third adds pairs to those of the second"),
        pytest.param([5, 6, 7, 8], [FIRST, *SECOND, *THIRD, *LAST], "thorough", id="the last has features of its own"),
        pytest.param([5, 4, 4, 3], [FIRST, *SECOND, *THIRD, *LAST], "cheap", id="the best one is taken"),
        pytest.param([0, 1], [FIRST, *SECOND], "learned", id="the second leaves no hope"),
    ],
)
def test_efforts_follow_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, placed: list[int], done: list[str], taken: str
) -> None:
    tools = Tools(placed)
    tools.stand_in(monkeypatch)
    assert ladder_of(PHOTOS, tmp_path).climb(Progress.silent()).effort.name == taken
    assert tools.done == done


def ladder_of(photos: int, folder: Path) -> Ladder:
    """So many prepared photos."""
    (folder / DATABASE).write_text("features")
    names = [f"{number:03}.jpg" for number in range(photos)]
    groups = PhotoGroups(groups=(), sources=dict(zip(names, names, strict=True)))
    return Ladder(folder, folder / "ladder", groups, MultiViewParameters())
