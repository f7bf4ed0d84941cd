"""When another assumption on the cameras is tried, and when it is taken."""

from dataclasses import dataclass
from typing import cast

import pytest

from recon_worker.tools.camera_trials import is_better, is_doubtful
from recon_worker.tools.mapping import PlacedGroups


@dataclass(frozen=True)
class Placed:
    """What a trial came to."""

    placed: int
    error_px: float = 0.5

    @property
    def relative_error(self) -> float:
        return self.error_px / 1000


def placed(photos: int, error_px: float = 0.5) -> PlacedGroups:
    return cast("PlacedGroups", Placed(photos, error_px))


@pytest.mark.parametrize(
    ("best", "focal_is_known", "doubtful"),
    [
        pytest.param(placed(20), False, False, id="all are placed and fit"),
        pytest.param(placed(17), True, True, id="too few are placed"),
        pytest.param(placed(20, error_px=1.1), False, True, id="all are placed and fit badly"),
        pytest.param(placed(20, error_px=1.1), True, False, id="they fit badly, but EXIF says how they zoom"),
        pytest.param(placed(0, error_px=0.0), False, True, id="none is placed"),
    ],
)
def test_others_are_tried_where_the_best_is_doubtful(best: PlacedGroups, focal_is_known: bool, doubtful: bool) -> None:
    assert is_doubtful(best, 18, focal_is_known=focal_is_known) is doubtful


@pytest.mark.parametrize(
    ("found", "best", "better"),
    [
        pytest.param(placed(20, 0.9), placed(12, 0.5), True, id="it places more"),
        pytest.param(placed(11, 0.1), placed(12, 0.5), False, id="it places fewer"),
        pytest.param(placed(12, 0.3), placed(12, 0.5), True, id="it fits much better"),
        pytest.param(
            placed(12, 0.45), placed(12, 0.5), False, id="it fits a little better, as more unknowns always do"
        ),
        pytest.param(placed(0, 0.0), placed(0, 0.0), False, id="neither places any"),
    ],
)
def test_another_is_taken_where_it_explains_the_photos_better(
    found: PlacedGroups, best: PlacedGroups, better: bool
) -> None:
    assert is_better(found, best) is better
