"""Time left, backoffs and durations."""

import pytest

from recon_api.spec import Backoff
from recon_operator.decide.retries import backoff_s, duration_s
from recon_operator.time_left import time_left_s


@pytest.mark.parametrize(
    ("elapsed_s", "percentage", "left_s"),
    [
        pytest.param(30.0, 50.0, 30, id="half done takes as long again"),
        pytest.param(90.0, 90.0, 10, id="the rest goes on at the same pace"),
        pytest.param(2.0, 50.0, None, id="it is too early to say"),
        pytest.param(60.0, 4.0, None, id="too little is done to say"),
        pytest.param(60.0, 100.0, 0, id="nothing is left"),
    ],
)
def test_time_left(elapsed_s: float, percentage: float, left_s: int | None) -> None:
    assert time_left_s(elapsed_s, percentage) == left_s


@pytest.mark.parametrize(("failed", "wait_s"), [(1, 10), (2, 20), (3, 40), (7, 600), (100, 600)])
def test_backoff_grows_to_its_limit(failed: int, wait_s: float) -> None:
    assert backoff_s(Backoff(), failed) == wait_s


def test_the_first_wait_is_bounded_too() -> None:
    assert backoff_s(Backoff(duration="1h", max_duration="1m"), 1) == 60


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("1m30s", 90), ("1h", 3600), ("500ms", 0.5), ("1.5m", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
