"""When waiting jobs start, and who is told."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from recon_api.resource import ReconstructionJob
from recon_api.status import Phase, Progress, QueueStatus, StepTime, WorkerStatus
from recon_api.steps import Step
from recon_operator.estimates.run_history import Durations
from recon_operator.estimates.step_durations import ExpectedSteps
from recon_operator.jobs.cache import Jobs
from recon_operator.scheduling.queue_planner import QueuePlan
from recon_operator.scheduling.start_estimates import Lasting, running_left, start_times, start_to_tell, waiting_lasts
from tests.operator.builders import NOW, ago, dispatched, make_job, make_observation, queued, running
from tests.operator.shown import as_shown

MINUTES = ExpectedSteps(dict.fromkeys(Step, 60.0), 0.2, 0.2)
"""Six steps of a minute each."""
ANYTHING = ExpectedSteps(dict.fromkeys(Step, 60.0), 1.1, 0.2)


def exactly(*seconds: float | None) -> list[Lasting | None]:
    """Return times that are known exactly, or not at all."""
    return [None if time_s is None else Lasting(time_s, 0.0) for time_s in seconds]


@pytest.mark.parametrize(
    ("workers", "running_s", "queue_s", "starts"),
    [
        pytest.param(1, [60], [10, 10], [60, 70], id="one worker takes one after the other"),
        pytest.param(2, [60, 20], [10, 10, 90, 5], [20, 30, 40, 60], id="each takes the worker that is free first"),
        pytest.param(2, [60], [10, 10], [0, 10], id="an idle worker takes the first at once"),
        pytest.param(1, [60, 30], [10], [30], id="of more attempts than workers the shortest count"),
        pytest.param(0, [], [10], [None], id="without workers nothing is known"),
        pytest.param(2, [60, None], [10], [None], id="behind an attempt of unknown length nothing is known"),
        pytest.param(1, [60], [10, None, 10], [60, 70, None], id="nor behind such a job"),
        pytest.param(1, [60], [], [], id="nobody waits"),
    ],
)
def test_start_times(
    workers: int, running_s: list[float | None], queue_s: list[float | None], starts: list[float | None]
) -> None:
    assert start_times(workers, exactly(*running_s), exactly(*queue_s)) == starts


@pytest.mark.parametrize(
    ("spread", "ahead", "told"),
    [
        pytest.param(0.4, 1, True, id="jobs that are known well enough tell it"),
        pytest.param(0.8, 1, False, id="a single one that is not does not"),
        pytest.param(0.8, 5, True, id="over many it evens out"),
    ],
)
def test_a_start_is_told_where_it_is_known_well_enough(spread: float, ahead: int, *, told: bool) -> None:
    start_s = start_times(1, [], [Lasting(600.0, spread)] * (ahead + 1))[-1]
    assert (start_s is not None) is told
    assert start_s is None or start_s > ahead * 600.0  # the longer ones weigh more


times = st.none() | st.builds(Lasting, st.floats(0, 1e7), st.floats(0, 1))


@given(st.integers(0, 9), st.lists(times, max_size=9), st.lists(times, max_size=30))
def test_nobody_starts_before_the_one_ahead(
    workers: int, running: list[Lasting | None], queue: list[Lasting | None]
) -> None:
    starts = start_times(workers, running, queue)
    known = [start for start in starts if start is not None]
    assert len(starts) == len(queue)
    assert known == sorted(known)
    assert all(0 <= start < 1e9 for start in known)


def at_step(step: str, left_s: int | None = None) -> Progress:
    """Return a progress that was written ten seconds ago."""
    return Progress(percentage=30, step=step, estimated_remaining_seconds=left_s, last_updated_time=ago(10))


@pytest.mark.parametrize(
    ("progress", "expected", "left_s"),
    [
        pytest.param(at_step("Preprocessing images", 50), MINUTES, 40, id="what its status says is left"),
        pytest.param(at_step("Preprocessing images", 5), MINUTES, 0, id="what is overdue ends at once"),
        pytest.param(None, MINUTES, 340, id="what just began takes as long as others"),
        pytest.param(None, None, None, id="without finished jobs it is unknown"),
        pytest.param(None, ANYTHING, None, id="so it is where they differ too much"),
    ],
)
def test_how_long_a_running_attempt_still_takes(
    progress: Progress | None, expected: ExpectedSteps | None, left_s: float | None
) -> None:
    left = running_left(make_job(status=running(progress=progress)), expected, NOW)
    assert (left and left.seconds) == left_s


@pytest.mark.parametrize(
    ("progress", "lasts_s"),
    [
        pytest.param(None, 360, id="a new job takes all steps"),
        pytest.param(at_step("Post-processing mesh"), 180, id="one that has run goes on where it was"),
        pytest.param(at_step("Daydreaming"), 360, id="a step that nobody knows is none"),
    ],
)
def test_how_long_a_waiting_job_will_take(progress: Progress | None, lasts_s: float) -> None:
    assert waiting_lasts(make_job(status=queued(progress=progress)), MINUTES) == Lasting(lasts_s, 0.2)


def after(seconds: float) -> datetime:
    """Return the time so long after now."""
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("told", "start", "position", "moved", "tells"),
    [
        pytest.param(after(100), after(105), 3, True, after(105), id="who moves hears the newest time"),
        pytest.param(after(100), None, 30, True, None, id="also that there is none"),
        pytest.param(after(100), after(129), 3, False, after(100), id="half a minute is no news"),
        pytest.param(after(1000), after(1150), 3, False, after(1000), id="nor is a sixth of the wait"),
        pytest.param(after(1000), after(1300), 3, False, after(1300), id="much later is"),
        pytest.param(after(1000), after(700), 3, False, after(700), id="so is much earlier"),
        pytest.param(
            None, after(700), 3, False, after(700), id="the first of a queue hear a time as soon as there is one"
        ),
        pytest.param(None, after(700), 20, False, None, id="the others when they move"),
        pytest.param(after(700), None, 3, False, after(700), id="a time that can no longer be told stays"),
        pytest.param(ago(1), None, 3, False, None, id="until it has passed"),
        pytest.param(ago(20), after(5), 1, False, ago(20), id="a time that has just passed stays"),
        pytest.param(ago(60), after(5), 1, False, after(5), id="one that has long passed does not"),
    ],
)
def test_who_is_told(
    told: datetime | None, start: datetime | None, position: int, *, moved: bool, tells: datetime | None
) -> None:
    assert start_to_tell(told, start, NOW, position, moved=moved) == tells


class Queue:
    """Jobs of one worker pool, each of which takes six minutes, planned at times that the test sets."""

    def __init__(self, *jobs: ReconstructionJob, known: bool = True) -> None:
        self.jobs = Jobs()
        self.now, self.steady_s = NOW, 0.0
        durations = Durations(Redis(), "synthetic")
        if known:
            durations.learn(self._finished())
        self.plan = QueuePlan(self.jobs, durations, lambda: self.steady_s, lambda: self.now)
        for job in jobs:
            self.jobs.apply(as_shown(job))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now, self.steady_s = self.now + timedelta(seconds=seconds), self.steady_s + seconds

    def update(self, workers: int = 1, *, known: bool = True) -> set[str]:
        """Plan; return who is to be looked at."""
        return self.plan.update(Counter(any=workers), known=known)

    def told(self, uid: str) -> tuple[int | None, float | None]:
        """Return a job's position, and in how many seconds it is said to start."""
        job = self.jobs.get(uid)
        assert job
        seen = self.plan.complete(make_observation(attempt=0), job)
        return seen.position, (seen.starts_at - self.now).total_seconds() if seen.starts_at else None

    @staticmethod
    def _finished() -> ReconstructionJob:
        steps = tuple(StepTime(name=step.value, seconds=60.0) for step in Step)
        return make_job(
            uid="done",
            status=queued(
                phase=Phase.SUCCEEDED,
                completion_time=NOW,
                worker=WorkerStatus(name="worker-0", gpu="H200"),
                steps=steps,
            ),
        )


def waiting(number: int, **status: QueueStatus) -> ReconstructionJob:
    """Return one of several jobs that wait, the first the longest."""
    return make_job(uid=f"w{number}", name=f"w{number}", created_s_ago=100 - number, status=queued(**status))


RUNNING = make_job(uid="r", name="r", status=running(progress=at_step("Preprocessing images", 50)))
SENT = make_job(uid="s", name="s", status=dispatched())


def test_those_that_wait_are_told_place_and_time() -> None:
    queue = Queue(RUNNING, SENT, waiting(1), waiting(2))
    assert queue.update() == {"w1", "w2"}
    assert [queue.told("w1"), queue.told("w2")] == [(1, 413), (2, 784)]  # some jobs take longer


def test_without_finished_jobs_no_time_is_invented() -> None:
    queue = Queue(RUNNING, SENT, waiting(1), known=False)
    queue.update()
    assert queue.told("w1") == (1, None)


def test_time_that_passes_is_no_news() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    queue.pass_time(25)
    assert queue.update() == set()
    assert queue.told("w1") == (1, 388)


def test_an_attempt_that_takes_much_longer_is_news() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    slower = running(progress=at_step("Preprocessing images", 500))
    queue.jobs.apply(as_shown(make_job(uid="r", name="r", status=slower, resource_version="8")))
    queue.pass_time(3)
    assert queue.update() == {"w1"}


def test_while_redis_is_away_what_was_told_stays() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    queue.pass_time(3)
    assert queue.update(known=False) == set()
    assert queue.told("w1") == (1, 410)


def test_an_operator_that_starts_goes_by_what_was_told_before() -> None:
    queue = Queue(RUNNING, SENT, waiting(1, queue=QueueStatus(position=1, estimated_start_time=after(420))))
    assert queue.update() == set()
    assert queue.told("w1") == (1, 420)
