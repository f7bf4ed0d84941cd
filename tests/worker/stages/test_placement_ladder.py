"""Which efforts are made, and what each takes over from the one before. The tools are stood in for: they take minutes."""

from pathlib import Path
from typing import Any

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
            self.done[-1] += f", {request.database.read_text()}{', learned' if request.learned else ''}"
            self.done[-1] += f", {request.pairs}" if request.pairs else ""
            request.database.write_text(request.database.read_text() + ", matched")
        return {"placed": self.left.pop(0) if isinstance(request, PlacementRequest) else 0, "points": 1000}

    def see(self, photos: list[PhotoFile], _: Progress) -> list[SeenPhoto]:
        self.done.append(f"see {len(photos)} photos")
        nothing = Features(torch.zeros(0, 2), torch.zeros(0, 64))
        return [SeenPhoto(photo.name, nothing, (640, 480), (640, 480)) for photo in photos]

    def partners(self, photos: list[SeenPhoto], count: int, _: Progress) -> list[tuple[int, int]]:
        self.done.append(f"find {count} partners")
        return [(0, len(photos) - 1)]

    def match(self, photos: list[SeenPhoto], pairs: list[tuple[int, int]], _: Progress) -> LearnedMatches:
        self.done.append(f"match {len(pairs)} pair")
        return LearnedMatches({}, {})

    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, stand_in in {
            "run_tool": self.run,
            "see_photos": self.see,
            "find_partners": self.partners,
            "match_pairs": self.match,
        }.items():
            monkeypatch.setattr(placement_ladder, name, stand_in)


FIRST = "place_photos, features"
SECOND = ["see 10 photos", "find 6 partners", "match 1 pair", "place_photos, features, matched, learned"]
THIRD = ["extract_features", "place_photos, other features, learned"]


@pytest.mark.parametrize(
    ("placed", "done", "taken"),
    [
        pytest.param([9], [FIRST], "cheap", id="the first places nearly all"),
        pytest.param([5, 9], [FIRST, *SECOND], "learned", id="the second uses what the first matched"),
        pytest.param([5, 6, 8], [FIRST, *SECOND, *THIRD], "thorough", id="the third uses what the second matched"),
        pytest.param([5, 4, 3], [FIRST, *SECOND, *THIRD], "cheap", id="the best one is taken"),
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


def test_photos_of_a_large_set_are_matched_with_those_that_look_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = Tools([60, 130])
    tools.stand_in(monkeypatch)
    assert ladder_of(130, tmp_path).climb(Progress.silent()).effort.name == "learned"
    alike = "(('000.jpg', '129.jpg'),)"
    assert tools.done == [
        "see 130 photos",
        "find 20 partners",
        f"place_photos, features, {alike}",
        "find 6 partners",
        "match 1 pair",
        f"place_photos, features, matched, learned, {alike}",
    ]


def ladder_of(photos: int, folder: Path) -> Ladder:
    """So many prepared photos."""
    (folder / DATABASE).write_text("features")
    names = [f"{number:03}.jpg" for number in range(photos)]
    groups = PhotoGroups(groups=(), sources=dict(zip(names, names, strict=True)))
    return Ladder(folder, folder / "ladder", groups, MultiViewParameters())
