"""Noticing that the time of day was set."""

import pytest

from tests.operator.clocks import Clocks


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.mark.parametrize(
    ("passed_s", "jump_s", "jumped_s"),
    [
        pytest.param(3600.0, 0.0, 0.0, id="an hour has passed"),
        pytest.param(1.0, 3600.0, 3600.0, id="an hour ahead"),
        pytest.param(1.0, -3600.0, -3600.0, id="an hour back"),
        pytest.param(1.0, 1.9, 0.0, id="a little ahead"),
        pytest.param(1.0, -1.9, 0.0, id="a little back"),
    ],
)
def test_jumps(clocks: Clocks, passed_s: float, jump_s: float, jumped_s: float) -> None:
    clocks.pass_s(passed_s, jump_s=jump_s)
    assert [clocks.wall.jump_s() for _ in range(2)] == [pytest.approx(jumped_s), 0.0], "it is reported once"


def test_small_steps_add_up(clocks: Clocks) -> None:
    jumps = []
    for _ in range(4):
        clocks.pass_s(5.0, jump_s=-0.6)
        jumps.append(clocks.wall.jump_s())
    assert jumps == [0.0, 0.0, 0.0, pytest.approx(-2.4)]
