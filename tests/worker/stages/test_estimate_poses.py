"""Photos that fall into groups: of different things, or of one thing with a gap."""

import pytest

from recon_api.errors import UsageError
from recon_worker.stages.estimate_poses import require_one_thing


def photos(kind: str, count: int) -> list[str]:
    return [f"{kind}{number}.jpg" for number in range(count)]


@pytest.mark.parametrize(
    ("groups", "total"),
    [
        pytest.param([], 20, id="nothing was placed"),
        pytest.param([photos("cup", 20)], 20, id="one group"),
        pytest.param([photos("cup", 30), photos("hat", 5)], 40, id="a second group of a few photos"),
        pytest.param([photos("cup", 20), photos("cup", 12)], 20, id="a second group of the same photos"),
        pytest.param([photos("cup", 6), photos("hat", 2)], 8, id="two photos are no group"),
    ],
)
def test_one_thing_is_taken(groups: list[list[str]], total: int) -> None:
    require_one_thing(groups, total)


@pytest.mark.parametrize(
    ("groups", "total"),
    [
        pytest.param([photos("cup", 11), photos("hat", 9)], 20, id="about half and half"),
        pytest.param([photos("cup", 12), photos("hat", 4)], 20, id="a fifth of the photos"),
        pytest.param([photos("cup", 12), photos("hat", 2), photos("dog", 6)], 20, id="the largest other group counts"),
    ],
)
def test_different_things_are_refused(groups: list[list[str]], total: int) -> None:
    with pytest.raises(
        UsageError, match=r"cup0\.jpg, cup1\.jpg, cup10\.jpg, …\) and \d+ photos \((hat|dog)0"
    ) as refused:
        require_one_thing(groups, total)
    assert refused.value.reason.name == "UnconnectedPhotos"
    assert "make a job of each" in refused.value.message
