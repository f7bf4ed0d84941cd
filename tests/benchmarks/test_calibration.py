"""The arithmetic of the benchmark of told times."""

import pytest

from benchmarks.calibration import Told, Trace, calibration, seconds

EXACT = Trace("exact", 0.0, 100.0, (Told(0.0, 100.0),))
LATE = Trace("late", 0.0, 100.0, (Told(5.0, None), Told(20.0, 200.0), Told(60.0, 100.0)))
EARLY = Trace("early", 0.0, 100.0, (Told(0.0, 40.0),))


@pytest.mark.parametrize(
    ("trace", "share", "error"),
    [
        pytest.param(EXACT, 0.5, 0.0, id="what was told at the beginning counts until more is told"),
        pytest.param(LATE, 0.1, None, id="nothing was told yet"),
        pytest.param(LATE, 0.5, 2.0, id="150 s were told, 50 s were left"),
        pytest.param(LATE, 0.75, 0.0, id="what is told later replaces it"),
        pytest.param(EARLY, 0.75, -1.0, id="a time that has passed is read as no time left"),
    ],
)
def test_error(trace: Trace, share: float, error: float | None) -> None:
    assert trace.error(share) == error


def test_the_largest_jump_is_a_share_of_the_whole() -> None:
    assert [trace.largest_jump for trace in (EXACT, LATE, EARLY)] == [0.0, 1.0, 0.0]


def test_calibration() -> None:
    found = calibration([EXACT, LATE, EARLY])
    assert found["at"]["50%"] == {
        "p50": 1.0,
        "p90": 1.8,
        "bias": 0.0,
        "p50_s": 50.0,
        "p90_s": 90.0,
        "said": 1.0,
    }
    assert found["at"]["10%"]["said"] == pytest.approx(0.667)
    assert found["largest_jump"] == {"p50": 0.0, "max": 1.0}


def test_calibration_of_nothing() -> None:
    assert set(calibration([])["all"].values()) == {None}


def test_times_of_kubernetes() -> None:
    assert seconds("1970-01-01T00:01:40Z") == 100.0
