"""Jobs of an installation whose storage is a bucket, from `kubectl apply` to their end."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from recon_api.status import ConditionType, Phase
from recon_api.steps import Step
from tests.support.control_plane import ControlPlane
from tests.support.finished_scene import PARAMETERS, FinishedScene, finished_scene
from tests.support.jobs import Job, has_condition, make_job
from tests.support.photo_sets import rendered_photos
from tests.support.system import System
from tests.support.waiting import wait_for
from tests.support.web import ACCESS_KEY, S3, SECRET_KEY, s3_server

FILES = {"seconds": 0.1}
"""Parameters of a job that publishes files."""


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as server:
        server.bucket("store")
        yield server


@pytest.fixture(scope="module")
def shared_system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Iterator[System]:
    settings = {
        "STORAGE_URL": "s3://store/recon",
        "STORAGE_ACCESS_KEY_ID": ACCESS_KEY,
        "STORAGE_SECRET_ACCESS_KEY": SECRET_KEY,
        "STORAGE_ENDPOINT_URL": s3.url,
    }
    with ExitStack() as stack:
        system = System(control_plane, tmp_path_factory.mktemp("system"), worker_env=settings)
        stack.callback(system.stop)
        yield system.start()
        assert system.refusals() == []


def objects_of(s3: S3, system: System, name: str) -> set[str]:
    base = f"recon/outputs/{system.namespace}/{name}/"
    return {key.removeprefix(base) for key in s3.objects("store") if key.startswith(base)}


def left(system: System) -> list[Any]:
    """What the worker's own disk holds: nothing, once its jobs have ended."""
    return [path for path in system.state.storage.rglob("*") if path.is_file()]


def test_photos_of_a_path_become_a_mesh_in_the_bucket(
    shared_system: System, s3: S3, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for photo in rendered_photos():
        key = f"recon/inputs/{shared_system.namespace}/object/{photo.name}"
        s3.client.put_object(Bucket="store", Key=key, Body=photo.read_bytes())
    finished = finished_scene(tmp_path_factory)
    job = shared_system.submit(make_job("object", input={"path": "object"}, model="multiview", parameters=PARAMETERS))
    take_up(job, shared_system, finished)
    status = job.wait_phase(Phase.SUCCEEDED, within_s=300)
    assert has_condition(status, ConditionType.COMPLETE)
    uris = {output.name: output.uri for output in status.outputs}
    assert uris["mesh.glb"] == f"s3://store/recon/outputs/{shared_system.namespace}/object/mesh.glb"
    assert objects_of(s3, shared_system, "object") == {*uris, "manifest.json"}
    wait_for("nothing of it stays with the worker", lambda: left(shared_system) == [])


def take_up(job: Job, system: System, finished: FinishedScene) -> None:
    """Suspend the job once it has read its photos, and resume it with all steps but the last: they take a minute."""
    uid = (job.object() or {})["metadata"]["uid"]
    steps = system.state.storage / "work" / uid / "steps"
    wait_for("its photos are loaded", lambda: list(steps.glob("load_photos-*")))
    job.patch(suspend=True)
    job.wait_phase(Phase.SUSPENDED)
    finished.finish(steps, Step.POST_PROCESSING)
    job.patch(suspend=False)


def test_photos_that_are_not_there_fail_the_job(shared_system: System) -> None:
    job = shared_system.submit(make_job("missing", input={"path": "nobody/brought"}, model="multiview", parameters={}))
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "InputNotFound")
    assert "input.path 'nobody/brought'" in status.message


@pytest.mark.parametrize("retain", [True, False])
def test_the_objects_go_with_their_job_where_it_says_so(shared_system: System, s3: S3, retain: bool) -> None:
    name = "stays" if retain else "goes"
    job = shared_system.submit(make_job(name, parameters=FILES, output={"retain": retain}))
    job.wait_phase(Phase.SUCCEEDED)
    assert "manifest.json" in objects_of(s3, shared_system, name)
    job.patch(ttlSecondsAfterFinished=0)
    job.wait_gone()
    assert bool(objects_of(s3, shared_system, name)) == retain


def test_a_deleted_jobs_result_stays(shared_system: System, s3: S3) -> None:
    job = shared_system.submit(make_job("deleted", parameters=FILES, output={"path": "kept/result", "retain": False}))
    job.wait_phase(Phase.SUCCEEDED)
    job.delete()
    job.wait_gone()
    shared_system.submit(make_job("after-deleted")).wait_phase(Phase.SUCCEEDED)  # it stands behind any order to delete
    assert "manifest.json" in objects_of(s3, shared_system, "kept/result")


def test_the_log_of_an_attempt_is_an_object_that_goes_with_its_job(shared_system: System, s3: S3) -> None:
    job = shared_system.submit(make_job("logged", parameters=FILES))
    (attempt,) = job.wait_phase(Phase.SUCCEEDED).attempts
    uid = (job.object() or {})["metadata"]["uid"]
    key = f"recon/outputs/{shared_system.namespace}/.logs/{uid}/attempt-1.log"
    assert attempt.log == f"s3://store/{key}"
    text = s3.client.get_object(Bucket="store", Key=key)["Body"].read().decode()
    assert "attempt 1 begins" in text
    assert text.splitlines()[-1].endswith("attempt 1 has completed")
    job.delete()
    wait_for("its log is gone", lambda: key not in s3.objects("store"))
