"""A job that was held, or whose worker was lost, goes on from its last finished step, on any worker."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recon_api.keys import attempt_key
from recon_api.payload import Outcome
from recon_api.steps import Step
from recon_dev.photos import put_photos
from recon_worker.files.attempt_logs import LOGS
from tests.support.finished_scene import PARAMETERS, FinishedScene, finished_scene
from tests.support.photo_sets import rendered_photos
from tests.support.waiting import wait_for
from tests.support.worker_site import Sent, Site, running_site

TO_STOP_IN = [Step.PREPROCESSING, Step.RECONSTRUCTION, Step.POST_PROCESSING, Step.PREVIEWS]
POOLS = ["a", "b"]
"""Each has one worker, so that a test says which one takes an attempt."""

pytestmark = pytest.mark.xdist_group("resume")  # they share the workers


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedScene:
    return finished_scene(tmp_path_factory)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two workers, each with a queue of its own, that the tests leave as they are."""
    with running_site(tmp_path_factory.mktemp("site")) as made:
        for pool in POOLS:
            made.start_worker(GPU_CLASS=pool)
        put_photos(rendered_photos(), made.storage / "inputs" / "shop" / "chair")
        yield made


def synthetic(site: Site, uid: str, attempt: int) -> Sent:
    return site.submit(attempt, uid=uid, gpu_class=POOLS[attempt % 2], seconds=10)


def photos(site: Site, uid: str, attempt: int) -> Sent:
    return site.submit_photos(attempt, uid, "chair", POOLS[attempt % 2], **PARAMETERS)


LONG = (Step.RECONSTRUCTION, Step.POST_PROCESSING)
"""Steps that take a minute of computing with photos."""


@pytest.mark.parametrize("send", [pytest.param(synthetic, id="synthetic"), pytest.param(photos, id="multiview")])
def test_a_job_that_is_held_in_every_step_computes_none_of_them_twice(
    site: Site, finished: FinishedScene, send: Callable[[Site, str, int], Sent]
) -> None:
    uid, kept, reports = str(uuid.uuid4()), dict[str, tuple[int, int]](), dict[str, dict[str, Any]]()
    for attempt, step in enumerate(TO_STOP_IN, start=1):
        job = send(site, uid, attempt)
        job.wait_step(step)
        job.hold()
        result = job.wait_stopped()
        assert (result.outcome, result.reason, result.worker) == (
            Outcome.FAILED,
            "Suspended",
            f"worker-{attempt % 2}",
        )
        assert (job.outputs.exists(), list(job.work.glob("**/*.tmp"))) == (False, [])
        assert kept.items() <= job.finished_files().items()
        if send is photos and step in LONG:  # so much is computed once in a test run
            finished.finish(job.work / "steps", step)
        kept, reports = job.finished_files(), job.step_reports()
        assert {report["step"] for report in reports.values()} >= set(TO_STOP_IN[: attempt - 1])
        site.redis.flushdb()  # no key tells what is finished
    last = send(site, uid, len(TO_STOP_IN) + 1)
    result = last.wait_result()
    assert result.outcome is Outcome.COMPLETED
    stages = {stage["name"]: stage for stage in json.loads((last.outputs / "report.json").read_text())["stages"]}
    assert {name: stages[name] for name in reports} == {name: {"name": name, **reports[name]} for name in reports}
    for told in result.steps[:-1]:
        ran = [stage["seconds"] for stage in stages.values() if stage["step"] == told.name]
        assert told.seconds == round(sum(ran), 3)
    assert result.steps[-1].name == Step.FINALIZING
    shown = {name for stage in stages.values() for name in stage["metrics"]}
    assert {metric.name for metric in result.metrics} == shown
    wait_for("the steps are removed", lambda: not last.work.exists())


def test_a_photo_that_changed_while_the_job_was_held_is_read_and_all_that_depends_on_it_made_anew(site: Site) -> None:
    uid, inputs = str(uuid.uuid4()), site.storage / "inputs" / "shop"
    put_photos(rendered_photos(), inputs / "changing")
    made = []
    for attempt in (1, 2):
        job = site.submit_photos(attempt, uid, "changing", POOLS[attempt % 2], **PARAMETERS)
        job.wait_step(Step.RECONSTRUCTION)
        job.hold()
        job.wait_stopped()
        made.append({name.split("/")[1] for name in job.finished_files()})
        photo = min((inputs / "changing").iterdir())
        changed = photo.with_name(".changed")
        shutil.copyfile(photo, changed)  # its time of change is new
        changed.rename(photo)
    assert made[0] < made[1]
    assert {name.rpartition("-")[0] for name in made[1] - made[0]} == {name.rpartition("-")[0] for name in made[0]}


def cut_short(folder: Path) -> None:
    file = next(folder.glob("*.npz"))
    file.write_bytes(file.read_bytes()[:100])


def half_written(folder: Path) -> None:
    (folder / "report.json").unlink()
    folder.rename(folder.with_name(".attempt-1-synthetic_points-0123abcd.tmp"))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(cut_short, id="a file is cut short"),
        pytest.param(lambda folder: next(folder.glob("*.npz")).unlink(), id="a file is missing"),
        pytest.param(lambda folder: (folder / "report.json").write_text(""), id="its report is empty"),
        pytest.param(half_written, id="it was never finished"),
    ],
)
def test_a_step_that_a_dying_machine_left_in_part_is_made_anew(site: Site, damage: Callable[[Path], object]) -> None:
    uid = str(uuid.uuid4())
    first = synthetic(site, uid, 1)
    first.wait_step(Step.POST_PROCESSING)
    first.hold()
    first.wait_stopped()
    before = first.finished_files()
    damage(next(first.work.glob("steps/synthetic_points-*")))
    second = synthetic(site, uid, 2)
    second.wait_step(Step.PREVIEWS)
    second.hold()
    second.wait_stopped()
    after = second.finished_files()
    assert {name for name in before if after.get(name) != before[name]} == {n for n in before if "_points-" in n}
    assert synthetic(site, uid, 3).wait_result().outcome is Outcome.COMPLETED


@pytest.mark.parametrize("ends", ["wakes up", "is killed"])
def test_an_attempt_that_is_believed_dead_does_not_disturb_the_next_one(site: Site, ends: str) -> None:
    uid = str(uuid.uuid4())
    first = synthetic(site, uid, 1)
    first.wait_step(Step.RECONSTRUCTION)
    process = next(child for child in site.workers[1].children() if _runs_attempts(child.cmdline()))
    process.suspend()
    second = synthetic(site, uid, 2)
    second.wait_step(Step.RECONSTRUCTION)
    wait_for("the second attempt writes a step", lambda: list(second.work.glob("steps/.attempt-2-*.tmp")))
    assert not list(second.work.glob("steps/.attempt-1-*.tmp"))
    if ends == "is killed":
        process.kill()
    process.resume()
    assert first.wait_stopped().reason == "Superseded"
    result = second.wait_stopped()
    assert (result.outcome, result.worker) == (Outcome.COMPLETED, "worker-0")
    assert not second.work.exists()


def _runs_attempts(command: list[str]) -> bool:
    return any("spawn_main" in argument for argument in command)


def test_a_job_that_is_held_while_it_is_published_is_published_by_the_next_attempt(site: Site) -> None:
    uid = str(uuid.uuid4())
    first = site.submit(1, uid=uid, gpu_class=POOLS[1], seconds=2)
    first.wait_lease()
    site.redis.delete(attempt_key(uid))  # its fence waits for Redis to say which attempt may publish
    sealed = first.work / "attempt-1"
    wait_for("the result is sealed", sealed.exists)
    number = (sealed / "mesh.glb").stat().st_ino
    first.hold()
    assert first.wait_stopped().reason == "Suspended"
    assert not first.outputs.exists()
    second = site.submit(2, uid=uid, gpu_class=POOLS[0], seconds=2)
    assert second.wait_result().outcome is Outcome.COMPLETED
    assert (second.outputs / "mesh.glb").stat().st_ino == number
    assert [path.name for path in second.outputs.parent.glob(".*")] == [LOGS]
