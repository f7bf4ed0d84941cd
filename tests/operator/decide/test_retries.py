"""Backoffs and durations, and the wait for the next attempt."""

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.spec import Backoff
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.observation import Observation
from recon_operator.decide.retries import backoff_s, duration_s
from tests.operator.builders import NOW, ended, failed, make_job, make_observation
from tests.operator.decisions import LIMITS, Expected, outcome, send

RETRY = make_job(status=ended("ReconstructionFailed", ended_s_ago=11.0))


ROWS = [
    pytest.param(
        make_job(status=ended("ReconstructionFailed", ended_s_ago=9.0)),
        make_observation(admitted=True),
        Expected(Phase.RETRYING),
        id="a failed attempt waits for its backoff",
    ),
    pytest.param(
        RETRY,
        make_observation(admitted=True),
        Expected(Phase.QUEUED, (send(RETRY, 2),), ("Dispatched",), finalizer=True, attempts=2),
        id="after its backoff the next attempt is sent",
    ),
    pytest.param(
        make_job(status=ended("CUDAOutOfMemory", ended_s_ago=11.0)),
        make_observation(admitted=True, result=failed("CUDAOutOfMemory", retry_after_s=30.0)),
        Expected(Phase.RETRYING),
        id="a worker may ask for a longer wait than the backoff",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(("failed", "wait_s"), [(1, 10), (2, 20), (3, 40), (7, 600), (100, 600)])
def test_backoff_grows_to_its_limit(failed: int, wait_s: float) -> None:
    assert backoff_s(Backoff(), failed) == wait_s


def test_the_first_wait_is_bounded_too() -> None:
    assert backoff_s(Backoff(duration="1h", max_duration="1m"), 1) == 60


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("1m30s", 90), ("1h", 3600), ("500ms", 0.5), ("1.5m", 90)])
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds
