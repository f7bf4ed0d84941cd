"""What is learned from finished jobs, and how much of it is kept."""

from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from recon_api.payload import PHOTOS, FinishedRun
from recon_api.status import Metric, Phase, Progress, StepTime, WorkerStatus
from recon_api.steps import Step
from recon_operator.estimates.run_history import KEPT_RUNS, Durations, History, finished_run
from tests.operator.builders import NOW, ago, finished, make_job

NOWHERE = "redis://127.0.0.1:1"
"""A Redis that does not answer."""


def run(number: int, *, photos: int | None = None, seconds: float = 10.0) -> FinishedRun:
    """Return the run of a job that ended so many seconds after now."""
    steps = (StepTime(name=Step.RECONSTRUCTION, seconds=seconds),)
    return FinishedRun(
        uid=f"job-{number}", finished_at=NOW + timedelta(seconds=number), photos=photos, gpu="H200", steps=steps
    )


@pytest.mark.parametrize(
    ("learned", "kept"),
    [
        pytest.param([1, 2, 3], [3, 2, 1], id="the newest is first"),
        pytest.param([3, 1, 2], [3, 2, 1], id="in whatever order they come"),
        pytest.param([1, 2, 1, 2], [2, 1], id="a job counts once"),
        pytest.param(range(250), range(249, 49, -1), id="so many are kept"),
        pytest.param(range(250, 0, -1), range(250, 50, -1), id="an old one does not come in place of a newer one"),
    ],
)
def test_history(learned: Any, kept: Any) -> None:
    history = History()
    for number in learned:
        history.add(run(number))
    assert [known.uid for known in history.runs] == [f"job-{number}" for number in kept]
    assert len(history.runs) <= KEPT_RUNS


@pytest.mark.parametrize(
    ("learned", "stored", "kept", "unwritten"),
    [
        pytest.param([], [3, 2], [3, 2], False, id="an operator that starts knows what Redis knows"),
        pytest.param([1, 3], [3, 2], [3, 2, 1], True, id="what finished jobs tell beside that is written"),
        pytest.param([1, 2], [], [2, 1], True, id="what Redis has lost is written again"),
        pytest.param([2, 3], [3, 2], [3, 2], False, id="what Redis has is not written again"),
        pytest.param([], [], [], False, id="nothing is known of a new model"),
    ],
)
def test_redis_and_finished_jobs_together(
    learned: list[int], stored: list[int], kept: list[int], *, unwritten: bool
) -> None:
    history = History()
    for number in learned:
        history.add(run(number))
    history.take_over(run(number) for number in stored)
    assert [known.uid for known in history.runs] == [f"job-{number}" for number in kept]
    assert history.take_news() == ([], unwritten)


def test_what_is_expected_follows_what_is_learned() -> None:
    history = History()
    expected = []
    for number in range(1, 4):
        history.add(run(number, seconds=10.0 * number))
        found = history.expected(None, "H200")
        expected.append(found and round(found.seconds[Step.RECONSTRUCTION]))
    assert expected == [10, 14, 20]


def succeeded(managed_by: str | None = None, **fields: Any) -> Any:
    """Return a job that has succeeded."""
    status = {
        "model": "multiview",
        "worker": WorkerStatus(name="worker-0", gpu="H200"),
        "progress": Progress(percentage=100, metrics=(Metric(name=PHOTOS, value="36"),)),
        "steps": run(0).steps,
        **fields,
    }
    return make_job(status=finished(Phase.SUCCEEDED, **status), managedBy=managed_by)


def test_what_a_finished_job_tells() -> None:
    job = succeeded()
    assert finished_run(job) == FinishedRun(
        uid=job.uid, finished_at=ago(1), photos=36, gpu="H200", steps=job.status.steps
    )


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(make_job(status=finished(Phase.FAILED, steps=run(0).steps)), id="a failed job"),
        pytest.param(succeeded(steps=()), id="a job whose worker did not time its steps"),
        pytest.param(succeeded("example.com/other"), id="a job of another controller"),
        pytest.param(succeeded(completion_time=None), id="a status without an end"),
    ],
)
def test_jobs_that_tell_nothing(job: Any) -> None:
    assert finished_run(job) is None


@pytest.mark.parametrize("value", ["", "many", "-3", "8/17", "9" * 5000, "٣"])
def test_a_number_of_photos_that_is_none(value: str) -> None:
    job = succeeded(progress=Progress(percentage=100, metrics=(Metric(name=PHOTOS, value=value),)))
    found = finished_run(job)
    assert found is not None
    assert found.photos is None


async def test_without_redis_it_is_remembered_all_the_same() -> None:
    durations = Durations(Redis.from_url(NOWHERE), "multiview")
    durations.learn(succeeded())
    another = make_job(uid="another", model=None)
    await durations.load([another])
    expected = durations.expected(another, 36, "H200")
    assert expected is not None
    assert expected.from_step_s(Step.LOADING) == pytest.approx(10.0)


def test_each_model_and_quality_is_learned_for_itself() -> None:
    durations = Durations(Redis.from_url(NOWHERE), "multiview")
    durations.learn(succeeded())
    others = [make_job(model="vggt"), make_job(model="multiview", parameters={"quality": "high"})]
    assert [durations.expected(job, 36, "H200") for job in others] == [None, None]
