"""How long a job waits after failures, and what ends its back-off."""

import pytest

from recon_api.status import ReconstructionJobStatus
from recon_operator.jobs.backoffs import LONGEST_RETRY_S, Backoffs
from tests.operator.builders import make_job, queued, running
from tests.support.clocks import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.mark.parametrize(
    ("failures", "retry_after_s", "delay_s"),
    [
        pytest.param(1, 0.0, 0.2, id="the first is tried again at once"),
        pytest.param(4, 0.0, 1.6, id="each one doubles the wait"),
        pytest.param(50, 0.0, LONGEST_RETRY_S, id="up to the longest"),
        pytest.param(1, 7.0, 7.0, id="as long as the API server asks for"),
        pytest.param(50, 7.0, LONGEST_RETRY_S, id="and no shorter for that"),
    ],
)
def test_how_long_a_job_waits(clock: SettableClock, failures: int, retry_after_s: float, delay_s: float) -> None:
    backoffs = Backoffs(clock)
    for _ in range(failures - 1):
        backoffs.failed(make_job(), holds=True)
    assert backoffs.failed(make_job(), retry_after_s=retry_after_s, holds=True) == pytest.approx(delay_s)
    assert backoffs.hold_s(make_job()) == pytest.approx(delay_s)


@pytest.mark.parametrize(
    ("status", "generation", "held"),
    [
        pytest.param(running(), 1, True, id="it is woken, by progress for instance"),
        pytest.param(queued(), 1, True, id="its status is changed by somebody else"),
        pytest.param(running(), 2, False, id="its spec is changed, or it is deleted, which counts as a change"),
    ],
)
def test_a_back_off_holds_while(
    clock: SettableClock, status: ReconstructionJobStatus, generation: int, held: bool
) -> None:
    backoffs = Backoffs(clock)
    backoffs.failed(make_job(status=running()), holds=True)
    assert bool(backoffs.hold_s(make_job(status=status, generation=generation, resource_version="8"))) is held


def test_a_back_off_that_does_not_hold_ends_with_whatever_wakes_the_job(clock: SettableClock) -> None:
    backoffs = Backoffs(clock)
    backoffs.failed(make_job(), holds=False)
    assert backoffs.hold_s(make_job()) == 0.0


def test_a_back_off_ends_with_its_time(clock: SettableClock) -> None:
    backoffs = Backoffs(clock)
    clock.now += backoffs.failed(make_job(), holds=True)
    assert backoffs.hold_s(make_job()) == 0.0


def test_a_success_begins_the_count_again(clock: SettableClock) -> None:
    backoffs = Backoffs(clock)
    for _ in range(5):
        backoffs.failed(make_job(), holds=True)
    backoffs.forget(make_job().uid)
    assert backoffs.hold_s(make_job()) == 0.0
    assert backoffs.failed(make_job(), holds=True) == pytest.approx(0.2)


def test_jobs_wait_apart(clock: SettableClock) -> None:
    backoffs = Backoffs(clock)
    backoffs.failed(make_job(uid="a"), holds=True)
    assert backoffs.hold_s(make_job(uid="b")) == 0.0
