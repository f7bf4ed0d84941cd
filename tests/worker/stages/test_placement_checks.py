"""Whether the photos that could be placed are enough for a model, and what is said of the others."""

import pytest

from recon_api.errors import UsageError
from recon_worker.stages.parameters import MultiViewParameters
from recon_worker.stages.placement_checks import (
    enough_placed,
    is_hopeless,
    least_placed,
    not_placed,
    require_all,
    require_all_usable,
    require_one_thing,
    require_plausible_cameras,
)
from recon_worker.tools.placement_requests import CHEAP, LEARNED, THOROUGH, WIDER, Effort


def photos(kind: str, count: int) -> list[str]:
    return [f"{kind}{number}.jpg" for number in range(count)]


@pytest.mark.parametrize(
    ("effort", "placed", "all_required", "enough"),
    [
        pytest.param(CHEAP, 18, False, True, id="nine tenths, the cheap way"),
        pytest.param(CHEAP, 17, False, False, id="a little less, the cheap way"),
        pytest.param(LEARNED, 19, False, False, id="all but one, by learned features: a few more pairs cost little"),
        pytest.param(LEARNED, 20, False, True, id="all, by learned features"),
        pytest.param(WIDER, 15, False, True, id="three quarters, by more pairs: the last effort is spared"),
        pytest.param(WIDER, 14, False, False, id="a little less, by more pairs"),
        pytest.param(WIDER, 19, True, False, id="one is missing, and all are required"),
        pytest.param(WIDER, 20, True, True, id="all that are required"),
    ],
)
def test_no_greater_effort_is_made_than_needed(effort: Effort, placed: int, all_required: bool, enough: bool) -> None:
    parameters = MultiViewParameters(require_all_photos=all_required)
    assert (placed >= enough_placed(effort, 20, parameters)) is enough


@pytest.mark.parametrize(
    ("effort", "placed", "hopeless"),
    [
        pytest.param(CHEAP, 0, False, id="nothing, the cheap way"),
        pytest.param(THOROUGH, 3, True, id="hardly any, thoroughly"),
        pytest.param(THOROUGH, 4, False, id="a sixth, thoroughly"),
        pytest.param(LEARNED, 0, True, id="nothing at all"),
    ],
)
def test_efforts_end_where_hardly_any_photo_can_be_placed(effort: Effort, placed: int, hopeless: bool) -> None:
    assert is_hopeless(placed, 20, effort) is hopeless


@pytest.mark.parametrize(("total", "least"), [(3, 3), (9, 3), (10, 4), (60, 20)])
def test_a_third_of_the_photos_must_be_placed(total: int, least: int) -> None:
    assert least_placed(total) == least


@pytest.mark.parametrize(
    ("groups", "total"),
    [
        pytest.param([], 20, id="nothing was placed"),
        pytest.param([photos("cup", 20)], 20, id="one group"),
        pytest.param([photos("cup", 30), photos("hat", 5)], 40, id="a second group of a few photos"),
        pytest.param([photos("cup", 20), photos("cup", 12)], 20, id="a second group of the same photos"),
        pytest.param([photos("cup", 6), photos("hat", 2)], 8, id="two photos are no group"),
        pytest.param([photos("cup", 11), photos("hat", 9)], 20, id="the first one has most of the photos"),
        pytest.param([photos("cup", 8), photos("hat", 3)], 20, id="a second one of less than a fifth"),
    ],
)
def test_one_thing_is_taken(groups: list[list[str]], total: int) -> None:
    require_one_thing(groups, total)


@pytest.mark.parametrize(
    ("groups", "total"),
    [
        pytest.param([photos("cup", 9), photos("hat", 9)], 20, id="half and half, with a few that are in neither"),
        pytest.param([photos("cup", 10), photos("hat", 10)], 20, id="half and half"),
        pytest.param([photos("cup", 9), photos("hat", 4)], 20, id="a fifth of the photos"),
        pytest.param([photos("cup", 9), photos("hat", 2), photos("dog", 6)], 20, id="the largest other group counts"),
    ],
)
def test_different_things_are_refused(groups: list[list[str]], total: int) -> None:
    with pytest.raises(
        UsageError, match=r"cup0\.jpg, cup1\.jpg, cup2\.jpg, …\) and \d+ photos \((hat|dog)0"
    ) as refused:
        require_one_thing(groups, total)
    assert refused.value.reason.name == "UnconnectedPhotos"
    assert "make a job of each" in refused.value.message


def test_photos_that_are_not_in_the_model_are_named() -> None:
    warning = not_placed(photos("cup", 2), 20)
    assert warning.reason == "PhotosNotPlaced"
    assert warning.message.startswith(
        "2 of 20 photos are not in the model, as they could not be placed: cup0.jpg, cup1.jpg;"
    )
    assert ", …; add" in not_placed(photos("cup", 30), 90).message


def test_where_all_are_required_one_that_is_missing_is_a_failure() -> None:
    require_all([], 20)
    with pytest.raises(
        UsageError, match=r"1 of 20 photos could not be placed \(cup0\.jpg\), .*requireAllPhotos is set"
    ):
        require_all(photos("cup", 1), 20)


def test_where_all_are_required_one_that_is_damaged_is_a_failure() -> None:
    require_all_usable([])
    with pytest.raises(UsageError, match=r"1 photo could not be used \(cup-0\.jpg\), and parameters.requireAllPhotos"):
        require_all_usable(["cup-0.jpg"])


def test_cameras_that_cannot_be_are_refused() -> None:
    require_plausible_cameras("")
    with pytest.raises(UsageError, match=r"the photos would need a focal length of 60 .* not stitched") as refused:
        require_plausible_cameras("would need a focal length of 60 times their longer side")
    assert refused.value.reason.name == "ImplausibleCameras"
