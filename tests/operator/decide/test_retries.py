"""Backoffs and durations."""

import pytest

from recon_api.spec import Backoff
from recon_operator.decide.retries import backoff_s, duration_s


@pytest.mark.parametrize(("failed", "wait_s"), [(1, 10), (2, 20), (3, 40), (7, 600), (100, 600)])
def test_backoff_grows_to_its_limit(failed: int, wait_s: float) -> None:
    assert backoff_s(Backoff(), failed) == wait_s


def test_the_first_wait_is_bounded_too() -> None:
    assert backoff_s(Backoff(duration="1h", max_duration="1m"), 1) == 60


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("1m30s", 90), ("1h", 3600), ("500ms", 0.5), ("1.5m", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
