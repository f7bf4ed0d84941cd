"""A worker whose clock is an hour behind or ahead: how long a job runs, and whether it runs too long, stays right."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recon_api.reasons import DEADLINE_EXCEEDED
from recon_api.status import ConditionType, Phase
from tests.support import shifted_clock
from tests.support.control_plane import ControlPlane
from tests.support.jobs import has_condition, lasting, make_job
from tests.support.system import System

HOUR_S = 3600
RUNS_S = 4
SOON = timedelta(minutes=5)
"""Much less than the worker's clock is off."""


@pytest.fixture(
    scope="module", params=[pytest.param(-HOUR_S, id="an hour behind"), pytest.param(HOUR_S, id="an hour ahead")]
)
def shift_s(request: pytest.FixtureRequest) -> float:
    """By how much the worker's clock is wrong."""
    return float(request.param)


@pytest.fixture(scope="module")
def system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory, shift_s: float) -> Iterator[System]:
    """A system whose worker has another clock than its operator."""
    clock = {"PYTHONPATH": shifted_clock.FOLDER, shifted_clock.SHIFT_VARIABLE: str(shift_s)}
    with ExitStack() as stack:
        system = System(control_plane, tmp_path_factory.mktemp("system"), worker_env=clock)
        stack.callback(system.stop)
        yield system.start()


def logged_at(log: Path) -> datetime:
    """Return the time of a log's last line."""
    lines = [line for line in log.read_text().splitlines() if line[:4].isdigit()]
    return datetime.strptime(lines[-1][:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def test_the_running_time_is_that_of_one_clock(system: System, shift_s: float) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    job = system.submit(make_job("running-time", parameters=lasting(RUNS_S)))
    status = job.wait_phase(Phase.SUCCEEDED)
    after = datetime.now(UTC)
    wrong = logged_at(system.worker.log) - after
    assert abs(wrong - timedelta(seconds=shift_s)) < SOON, "the worker's clock is not shifted"

    [attempt] = status.attempts
    assert attempt.start_time is not None
    assert attempt.end_time is not None
    assert status.completion_time is not None
    assert before <= attempt.start_time <= attempt.end_time <= after
    assert attempt.end_time - attempt.start_time >= timedelta(seconds=RUNS_S - 1)
    assert before <= status.completion_time <= after
    assert status.active_seconds >= RUNS_S
    assert timedelta(seconds=status.active_seconds) < SOON
    assert sum(step.seconds for step in status.steps) < SOON.total_seconds()


def test_a_deadline_ends_a_job_in_time(system: System) -> None:
    job = system.submit(make_job("deadline", parameters=lasting(600), activeDeadlineSeconds=RUNS_S))
    status = job.wait_phase(Phase.FAILED)
    assert DEADLINE_EXCEEDED.name in status.message
    assert timedelta(seconds=RUNS_S) <= timedelta(seconds=status.active_seconds) < SOON


def test_a_deadline_ends_no_job_early(system: System) -> None:
    job = system.submit(make_job("in-time", parameters=lasting(RUNS_S), activeDeadlineSeconds=600))
    assert has_condition(job.wait_phase(Phase.SUCCEEDED), ConditionType.COMPLETE)
