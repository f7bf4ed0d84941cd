"""Finished jobs go when their time is over, and their outputs with them where they say so."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recon_api.keys import DEFAULT_GPU_CLASS, discard_key, discard_task_id, queue_name
from recon_api.status import Phase
from recon_dev.state import StateDir
from recon_worker.files.manifest import MANIFEST, read_manifest
from tests.support.control_plane import start_control_plane
from tests.support.finished import put_finished
from tests.support.jobs import Job, lasting, make_job
from tests.support.system import Part, System
from tests.support.waiting import wait_for

DAY_S = 86400
FILES = {"seconds": 0.1}
"""Parameters of a job that publishes files."""


def ended(system: System, name: str, **spec: Any) -> Job:
    """Return a job that has succeeded and published its files, and that the operator is done with: it needs Redis for that."""
    job = system.submit(make_job(name, **{"parameters": FILES, **spec}))
    job.wait_phase(Phase.SUCCEEDED)
    wait_for("it is labelled", job.is_labelled)
    assert (folder_of(system, job) / MANIFEST).exists()
    return job


def folder_of(system: System, job: Job) -> Path:
    path: str = (job.object() or {})["spec"]["output"].get("path", job.name)
    return system.outputs / path


def uid_of(job: Job) -> str:
    return str((job.object() or {})["metadata"]["uid"])


def asked(system: System) -> bool:
    """Say whether a message waits that asks for outputs to be deleted."""
    messages: Any = system.client(0).lrange(queue_name(DEFAULT_GPU_CLASS), 0, -1)
    return sum(discard_task_id("").encode() in message for message in messages) == 1


# --- when the object goes -----------------------------------------------------------------------------------------


def test_a_job_goes_after_the_time_set_at_its_creation(shared_system: System) -> None:
    job = shared_system.submit(make_job("created", parameters=FILES, ttlSecondsAfterFinished=2))
    job.wait_gone()
    assert (shared_system.outputs / "created" / MANIFEST).exists()
    shared_system.operator.wait_logged(f"{shared_system.namespace}/created: removed, as ttlSecondsAfterFinished is 2")


@pytest.mark.parametrize(
    ("name", "manifest", "phase"),
    [
        pytest.param("failed", {"parameters": {"fail": "InputRejected"}}, Phase.FAILED, id="failed"),
        pytest.param("cancelled", {"suspend": True}, Phase.CANCELLED, id="cancelled before it ran"),
    ],
)
def test_a_job_goes_that_has(shared_system: System, name: str, manifest: dict[str, Any], phase: Phase) -> None:
    job = shared_system.submit(make_job(name, **manifest, output={"retain": False}))
    if phase is Phase.CANCELLED:
        job.patch(cancellation="Requested")
        job.patch(cancellation="Confirmed")
    job.wait_phase(phase)
    job.patch(ttlSecondsAfterFinished=0)
    job.wait_gone()


def test_a_time_set_after_the_end_acts_at_once(shared_system: System) -> None:
    job = ended(shared_system, "later")
    assert job.patch(ttlSecondsAfterFinished=0).returncode == 0
    job.wait_gone()


def test_a_running_job_goes_only_after_its_end(shared_system: System) -> None:
    job = shared_system.submit(make_job("running", parameters=lasting(3), ttlSecondsAfterFinished=0))
    job.wait_phase(Phase.RUNNING)
    job.wait_gone()
    assert (shared_system.outputs / "running" / MANIFEST).exists()


def test_the_installations_time_counts_for_jobs_without_one(breakable_system: System) -> None:
    breakable_system.operator.stop()
    other = breakable_system.operator_with({"DEFAULT_TTL_SECONDS_AFTER_FINISHED": "0"})
    try:
        other.start()
        own = ended(breakable_system, "own", ttlSecondsAfterFinished=DAY_S)
        cluster, namespace = breakable_system.control_plane, breakable_system.namespace
        foreign = put_finished(cluster, namespace, "foreign", managedBy="example.com/other")
        breakable_system.submit(make_job("without")).wait_gone()
        assert own.object()
        own.patch(ttlSecondsAfterFinished=None)
        own.wait_gone()
        assert foreign.object()
    finally:
        other.stop()
    breakable_system.operator.start()


def test_the_operator_restarts_between_the_end_and_the_time(breakable_system: System) -> None:
    # One is due about when the operator is back, the other one later.
    jobs = [breakable_system.submit(make_job(f"after-{ttl_s}", ttlSecondsAfterFinished=ttl_s)) for ttl_s in (5, 10)]
    for job in jobs:
        job.wait_phase(Phase.SUCCEEDED)
    breakable_system.operator.kill()
    breakable_system.operator.start()
    for job in jobs:
        job.wait_gone()


def test_a_time_that_changes_while_the_operator_is_away(breakable_system: System) -> None:
    # The one that stays has ended first, so that its first time is over when the other one goes.
    longer, shorter = ended(breakable_system, "longer", ttlSecondsAfterFinished=15), ended(breakable_system, "shorter")
    breakable_system.operator.kill()
    shorter.patch(ttlSecondsAfterFinished=15)
    longer.patch(ttlSecondsAfterFinished=DAY_S)
    breakable_system.operator.start()
    shorter.wait_gone()
    assert longer.object()


def test_the_api_server_restarts(tmp_path: Path) -> None:
    control_plane = start_control_plane(StateDir(tmp_path / "control-plane"))
    system = System(control_plane, tmp_path / "system")
    try:
        system.start()
        before = ended(system, "before")
        os.kill(control_plane.pid("kube-apiserver"), signal.SIGKILL)
        wait_for("the API server is back", lambda: before.patch(ttlSecondsAfterFinished=0).returncode == 0)
        wait_for("the job is gone", lambda: not_there(before))
        system.submit(make_job("after", ttlSecondsAfterFinished=0)).wait_gone()
    finally:
        system.stop()
        control_plane.stop()


def not_there(job: Job) -> bool:
    return "NotFound" in job.kubectl("get", "rj", job.name).stderr


# --- what goes with it --------------------------------------------------------------------------------------------


def test_outputs_go_with_the_job(shared_system: System) -> None:
    job = ended(shared_system, "gone", output={"path": "sets/gone", "retain": False})
    job.patch(ttlSecondsAfterFinished=0)
    job.wait_gone()
    assert not (shared_system.outputs / "sets" / "gone").exists()
    shared_system.operator.wait_logged("/gone: removed, with its outputs")


def test_outputs_stay_where_the_job_says_so(shared_system: System) -> None:
    job = ended(shared_system, "kept", output={"retain": True})
    job.patch(ttlSecondsAfterFinished=0)
    job.wait_gone()
    assert (shared_system.outputs / "kept" / MANIFEST).exists()


def test_outputs_of_a_later_job_in_the_same_folder_stay(shared_system: System) -> None:
    first = ended(shared_system, "first-of-two", output={"path": "same", "retain": False})
    second = ended(shared_system, "second-of-two", output={"path": "same", "retain": False})
    first.patch(ttlSecondsAfterFinished=0)
    first.wait_gone()
    manifest = read_manifest(shared_system.outputs / "same")
    assert manifest
    assert manifest.uid == uid_of(second)


def test_outputs_stay_when_a_person_deletes_the_job(shared_system: System) -> None:
    job = ended(shared_system, "by-hand", output={"retain": False}, ttlSecondsAfterFinished=DAY_S)
    job.delete()
    job.wait_gone()
    shared_system.submit(make_job("after-by-hand")).wait_phase(Phase.SUCCEEDED)  # it stands behind any order to delete
    assert (shared_system.outputs / "by-hand" / MANIFEST).exists()


@pytest.mark.parametrize(
    ("away", "noticed"),
    [
        pytest.param("worker", lambda s, _: asked(s), id="workers are away"),
        pytest.param(
            "redis",
            lambda s, before: "waits for redis" in s.operator.log.read_text()[before:].lower(),
            id="Redis is away",
        ),
    ],
)
def test_a_job_waits_with_its_outputs_while(
    breakable_system: System, away: str, noticed: Callable[[System, int], bool]
) -> None:
    job = ended(breakable_system, f"waiting-for-{away}", output={"retain": False})
    witness = ended(breakable_system, f"witness-of-{away}")
    part: Part = getattr(breakable_system, away)
    before = breakable_system.operator.log_length()
    part.stop()
    job.patch(ttlSecondsAfterFinished=0)
    wait_for("the operator has noticed", lambda: noticed(breakable_system, before))
    # A job that takes nothing along need not wait.
    witness.patch(ttlSecondsAfterFinished=0)
    witness.wait_gone()
    assert job.object()
    assert (breakable_system.outputs / job.name / MANIFEST).exists()
    part.start()
    job.wait_gone()
    assert not (breakable_system.outputs / job.name).exists()


def test_an_operator_that_restarts_asks_again(breakable_system: System) -> None:
    job = ended(breakable_system, "asked-twice", output={"retain": False})
    breakable_system.worker.stop()
    job.patch(ttlSecondsAfterFinished=0)
    wait_for("a worker is asked", lambda: asked(breakable_system))
    breakable_system.operator.kill()
    breakable_system.client().flushall()
    breakable_system.operator.start()
    wait_for("a worker is asked again", lambda: asked(breakable_system))
    breakable_system.worker.start()
    job.wait_gone()
    assert not (breakable_system.outputs / "asked-twice").exists()


def test_a_change_of_mind_saves_outputs_that_no_worker_has_come_to(breakable_system: System) -> None:
    job = ended(breakable_system, "saved", output={"retain": False})
    breakable_system.worker.stop()
    job.patch(ttlSecondsAfterFinished=0)
    wait_for("a worker is asked", lambda: asked(breakable_system))
    job.patch(ttlSecondsAfterFinished=DAY_S)
    wait_for("the outputs may stay", lambda: not breakable_system.client().exists(discard_key(uid_of(job))))
    breakable_system.worker.start()
    breakable_system.worker.wait_logged("not to be removed any more")
    assert job.object()
    assert (breakable_system.outputs / "saved" / MANIFEST).exists()
