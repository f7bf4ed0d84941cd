"""For how long nothing was seen, over successful reads only."""

import pytest

from recon_operator.observe.missed_heartbeats import MissedHeartbeats


@pytest.mark.parametrize(
    ("reads", "silent_s"),
    [
        pytest.param([(0, 1, False)], 0, id="the first read starts the clock"),
        pytest.param([(0, 1, False), (5, 1, False), (12, 1, False)], 12, id="reads in a row add up"),
        pytest.param(
            [(0, 1, False), (5, 1, True), (8, 1, False), (9, 1, False)], 1, id="a sign of life starts it again"
        ),
        pytest.param([(0, 1, False), (30, 1, False), (35, 1, False)], 5, id="a gap between reads proves nothing"),
        pytest.param([(0, 1, False), (5, 2, False), (8, 2, False)], 3, id="the next attempt has a clock of its own"),
    ],
)
def test_silence(reads: list[tuple[float, int, bool]], silent_s: float) -> None:
    heartbeats = MissedHeartbeats(longest_gap_s=10.0)
    assert [heartbeats.record("u", attempt, at, alive=alive) for at, attempt, alive in reads][-1] == silent_s


def test_a_failed_read_starts_all_clocks_again() -> None:
    heartbeats = MissedHeartbeats(longest_gap_s=10.0)
    heartbeats.record("u", 1, 0.0, alive=False)
    heartbeats.reset()
    assert heartbeats.record("u", 1, 5.0, alive=False) == 0.0


def test_a_message_that_was_just_sent_is_not_silent() -> None:
    heartbeats = MissedHeartbeats(longest_gap_s=10.0)
    heartbeats.record("u", 1, 0.0, alive=False)
    heartbeats.forget("u")
    assert heartbeats.record("u", 1, 5.0, alive=False) == 0.0
