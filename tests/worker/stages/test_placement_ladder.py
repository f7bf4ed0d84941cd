"""Which efforts are made, and what each takes over from the one before. The tools are stood in for: they take minutes."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from recon_worker.progress import Progress
from recon_worker.stages import placement_ladder
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.placement_ladder import Ladder
from recon_worker.stages.prepare_images import DATABASE, PhotoGroups
from recon_worker.tools.learned_matches import LearnedMatches
from recon_worker.tools.placement_requests import FeatureRequest, PlacementRequest

PHOTOS = 10


class Tools:
    """Places as many photos as it is told, one number for each effort, and notes what it was asked."""

    def __init__(self, placed: list[int]) -> None:
        self.left, self.done = list(placed), list[str]()

    def run(self, name: str, request: BaseModel, *_: object) -> dict[str, Any]:
        self.done.append(name)
        if isinstance(request, FeatureRequest):
            request.database.write_text("other features")
        if isinstance(request, PlacementRequest):
            self.done[-1] += f", {request.database.read_text()}{', learned' if request.learned else ''}"
            request.database.write_text(request.database.read_text() + ", matched")
        return {"placed": self.left.pop(0) if isinstance(request, PlacementRequest) else 0, "points": 1000}

    def match(self, photos: list[object], _: Progress) -> LearnedMatches:
        self.done.append(f"match {len(photos)} photos")
        return LearnedMatches({}, {})


FIRST = "place_photos, features"
SECOND = ["match 10 photos", "place_photos, features, matched, learned"]
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
    monkeypatch.setattr(placement_ladder, "run_tool", tools.run)
    monkeypatch.setattr(placement_ladder, "match_photos", tools.match)
    (tmp_path / DATABASE).write_text("features")
    groups = PhotoGroups(groups=(), sources={f"{number}.jpg": f"{number}.jpg" for number in range(PHOTOS)})
    ladder = Ladder(tmp_path, tmp_path / "ladder", groups, MultiViewParameters())
    assert ladder.climb(Progress.silent()).effort.name == taken
    assert tools.done == done
