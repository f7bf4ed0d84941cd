"""What the plan says of a job, for whom it keeps a worker, and who is to hear of a change."""

from collections import Counter
from datetime import datetime, timedelta

from redis.asyncio import Redis

from recon_api.resource import ReconstructionJob
from recon_api.status import Phase, Progress, QueueStatus, StepTime, WorkerStatus
from recon_api.steps import Step
from recon_operator.estimates.run_history import RunHistory
from recon_operator.jobs.cache import Jobs
from recon_operator.observe.queue_place import QueuePlace
from recon_operator.scheduling.queue_order import SENT_PER_WORKER
from recon_operator.scheduling.queue_planner import POSITIONS_EVERY_S, QueuePlanner
from tests.operator.builders import NOW, ago, dispatched, make_job, queued, running
from tests.operator.shown import as_shown


class Admission:
    """Waiting jobs, the first the oldest, and a clock that the test sets."""

    def __init__(self, count: int) -> None:
        self.waiting = [make_job(uid=f"w{n}", name=f"w{n}", created_s_ago=100 - n) for n in range(count)]
        jobs = Jobs()
        for job in self.waiting:
            jobs.apply(as_shown(job))
        self.now = 0.0
        self.plan = QueuePlanner(jobs, clock=lambda: self.now)

    def update(self, workers: int = 1) -> None:
        self.now += POSITIONS_EVERY_S
        self.plan.update(Counter(any=workers), known=True)

    def admitted(self) -> list[ReconstructionJob]:
        return [job for job in self.waiting if self.plan.place(job).admitted]


def test_a_question_changes_nothing() -> None:
    queue = Admission(SENT_PER_WORKER + 2)
    queue.update()
    first = queue.admitted()
    assert len(first) == SENT_PER_WORKER
    queue.update()
    assert queue.admitted() == first
    assert [queue.plan.place(job).position for job in queue.waiting] == [None] * SENT_PER_WORKER + [1, 2]


def test_a_worker_is_kept_for_a_job_until_its_pass_is_over() -> None:
    queue = Admission(SENT_PER_WORKER + 1)
    queue.update()
    for job in queue.admitted():
        queue.plan.reserve(job)
    queue.update()
    assert queue.admitted() == [], "no other job gets its place"
    queue.plan.release(queue.waiting[0].uid)
    queue.update()
    assert queue.admitted() == queue.waiting[:1], "it was not sent after all"


def test_jobs_that_are_admitted_together_are_named_and_ranked_in_their_order() -> None:
    queue = Admission(6)
    queue.now += POSITIONS_EVERY_S
    assert queue.plan.update(Counter(any=3), known=True) == [f"w{n}" for n in range(6)]
    assert [queue.plan.send_rank(job) for job in queue.waiting] == list(range(6))


def test_a_job_of_a_pool_that_is_not_planned_has_no_place() -> None:
    assert Admission(1).plan.place(make_job(gpuClass="h200")) == QueuePlace()


def at_step(step: str, left_s: int | None = None) -> Progress:
    """Return a progress that was written ten seconds ago."""
    return Progress(percentage=30, step=step, estimated_remaining_seconds=left_s, last_updated_time=ago(10))


def after(seconds: float) -> datetime:
    """Return the time so long after now."""
    return NOW + timedelta(seconds=seconds)


class Queue:
    """Jobs of one worker pool, each of which takes six minutes, planned at times that the test sets."""

    def __init__(self, *jobs: ReconstructionJob, known: bool = True) -> None:
        self.jobs = Jobs()
        self.now, self.steady_s = NOW, 0.0
        durations = RunHistory(Redis(), "synthetic")
        if known:
            durations.learn(self._finished())
        self.plan = QueuePlanner(self.jobs, durations, lambda: self.steady_s, lambda: self.now)
        for job in jobs:
            self.jobs.apply(as_shown(job))

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now, self.steady_s = self.now + timedelta(seconds=seconds), self.steady_s + seconds

    def update(self, workers: int = 1, *, known: bool = True) -> list[str]:
        """Plan; return who is to be looked at."""
        return self.plan.update(Counter(any=workers), known=known)

    def told(self, uid: str) -> tuple[int | None, float | None]:
        """Return a job's position, and in how many seconds it is said to start."""
        job = self.jobs.get(uid)
        assert job
        seen = self.plan.place(job)
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
    assert queue.update() == ["w1", "w2"]
    assert [queue.told("w1"), queue.told("w2")] == [(1, 413), (2, 784)]  # some jobs take longer


def test_without_finished_jobs_no_time_is_invented() -> None:
    queue = Queue(RUNNING, SENT, waiting(1), known=False)
    queue.update()
    assert queue.told("w1") == (1, None)


def test_time_that_passes_is_no_news() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    queue.pass_time(25)
    assert queue.update() == []
    assert queue.told("w1") == (1, 388)


def test_an_attempt_that_takes_much_longer_is_news() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    slower = running(progress=at_step("Preprocessing images", 500))
    queue.jobs.apply(as_shown(make_job(uid="r", name="r", status=slower, resource_version="8")))
    queue.pass_time(3)
    assert queue.update() == ["w1"]


def test_while_redis_is_away_what_was_told_stays() -> None:
    queue = Queue(RUNNING, SENT, waiting(1))
    queue.update()
    queue.pass_time(3)
    assert queue.update(known=False) == []
    assert queue.told("w1") == (1, 410)


def test_an_operator_that_starts_goes_by_what_was_told_before() -> None:
    queue = Queue(RUNNING, SENT, waiting(1, queue=QueueStatus(position=1, estimated_start_time=after(420))))
    assert queue.update() == []
    assert queue.told("w1") == (1, 420)
