"""`kubectl delete` in every phase, and of a whole namespace: the object goes, and nothing of it is left."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_dev.demo import local_path
from recon_dev.operator_process import operator
from recon_dev.worker_process import worker
from recon_worker.files.attempt_logs import LOGS
from tests.support.jobs import Job, Manifest, lasting, make_job, recorded
from tests.support.system import QUICK, Part, System
from tests.support.waiting import wait_for

MAY_STAY = ("claim", "result", "discarded")
"""Keys that refuse a late copy of a message, and go by themselves."""
JOBS_OF_A_NAMESPACE = 100


def uid_of(job: Job) -> str:
    """Return the UID of a job that exists."""
    found = job.object()
    assert found
    return str(found["metadata"]["uid"])


def left_of(system: System, *uids: str) -> list[str]:
    """Return what is left of jobs in Redis and in the storage."""
    keys = [key.decode() for key in system.client().scan_iter()]
    left = [key for key in keys if key.split(":")[0] not in MAY_STAY and any(uid in key for uid in uids)]
    folders = [*system.work_folders(), *(system.outputs / LOGS).glob("*")]
    return left + [str(folder) for folder in folders if folder.name in uids]


def assert_only_outputs_of(job: Job, system: System) -> None:
    """Look for outputs and logs of other jobs."""
    assert {path.name for path in system.outputs.iterdir()} == {job.name, LOGS}
    assert [path.name for path in (system.outputs / LOGS).iterdir()] == [uid_of(job)]


def wait_nothing_left(system: System, *uids: str) -> None:
    """Wait until nothing is left of jobs but what refuses late messages."""
    try:
        wait_for("nothing is left", lambda: not left_of(system, *uids))
    except AssertionError as error:
        raise AssertionError(f"{error}: {left_of(system, *uids)}") from None


def wait_sent(job: Job) -> None:
    """Wait until the job is sent to a worker that is busy with another."""
    job.wait_until("is sent", lambda s: s.phase is Phase.QUEUED and s.execution_attempts == 1)


def wait_running(job: Job) -> None:
    """Wait until the job runs."""
    job.wait_phase(Phase.RUNNING)


def wait_queued(job: Job) -> None:
    """Wait until the operator has taken the job into its queue."""
    job.wait_phase(Phase.QUEUED)


def request(job: Job) -> None:
    """Do the first step of a cancellation, and wait until the operator has seen it."""
    assert job.patch(cancellation="Requested").returncode == 0
    job.wait_until("says that a cancellation is requested", lambda s: s.cancellation is not None)


def in_phase(phase: Phase, **spec: object) -> Callable[[System, str], Job]:
    """Return how to get a job that comes to a phase by itself."""

    def reach(system: System, name: str) -> Job:
        job = system.submit(make_job(name, **spec))
        job.wait_phase(phase)
        return job

    return reach


def sent_and_not_taken(system: System, name: str) -> Job:
    """Return a job whose message waits in Redis, and stop what it waits for."""
    blocker = system.submit(make_job(f"{name}-blocker", parameters=lasting(300)))
    blocker.wait_phase(Phase.RUNNING)
    job = system.submit(make_job(name, parameters=lasting(300)))
    wait_sent(job)
    blocker.delete()
    return job


def with_a_request(system: System, name: str) -> Job:
    """Return a job that runs, and that somebody has asked to cancel."""
    job = in_phase(Phase.RUNNING, parameters=lasting(300))(system, name)
    request(job)
    return job


def hanging(system: System, name: str) -> Job:
    """Return a job whose attempt ignores the order to stop."""
    job = system.submit(make_job(name, parameters={"hang": True}))
    job.wait_percentage(20)
    return job


def cancelling(system: System, name: str) -> Job:
    """Return a job that does not stop although its cancellation is confirmed."""
    job = hanging(system, name)
    request(job)
    assert job.patch(cancellation="Confirmed").returncode == 0
    job.wait_phase(Phase.CANCELLING)
    return job


def suspended_while_it_ran(system: System, name: str) -> Job:
    """Return a job that is held, and has finished steps."""
    job = system.submit(make_job(name, parameters=lasting(20)))
    job.wait_percentage(25)
    assert job.patch(suspend=True).returncode == 0
    job.wait_phase(Phase.SUSPENDED)
    assert uid_of(job) in [folder.name for folder in system.work_folders()]
    return job


def cancelled(system: System, name: str) -> Job:
    """Return a job that was cancelled while it ran."""
    job = with_a_request(system, name)
    assert job.patch(cancellation="Confirmed").returncode == 0
    job.wait_phase(Phase.CANCELLED)
    return job


SLOW_BACKOFF = {"backoff": {"duration": "5m"}}
BEFORE_ITS_END = {
    "queued-without-a-worker": in_phase(Phase.QUEUED, gpuClass="absent"),
    "sent-and-not-taken": sent_and_not_taken,
    "running": in_phase(Phase.RUNNING, parameters=lasting(300)),
    "running-and-asked-to-be-cancelled": with_a_request,
    "running-and-hanging": hanging,
    "cancelling-and-hanging": cancelling,
    "suspended-from-birth": in_phase(Phase.SUSPENDED, suspend=True),
    "suspended-while-it-ran": suspended_while_it_ran,
    "retrying": in_phase(Phase.RETRYING, parameters={"fail": "CUDAOutOfMemory"}, retryStrategy=SLOW_BACKOFF),
    "failed": in_phase(Phase.FAILED, parameters={"fail": "InputRejected"}),
    "cancelled": cancelled,
}


@pytest.mark.parametrize("reach", [pytest.param(reach, id=name) for name, reach in BEFORE_ITS_END.items()])
def test_a_deleted_job_leaves_nothing(
    shared_system: System, reach: Callable[[System, str], Job], request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    job = reach(shared_system, name)
    uid = uid_of(job)
    job.delete()
    job.wait_gone()
    shared_system.submit(make_job(f"{name}-next")).wait_phase(Phase.SUCCEEDED)
    wait_nothing_left(shared_system, uid)
    assert not (shared_system.outputs / name).exists()


def test_the_outputs_of_a_deleted_job_stay(shared_system: System) -> None:
    job = shared_system.submit(make_job("succeeded"))
    outputs = job.wait_phase(Phase.SUCCEEDED).outputs
    uid = uid_of(job)
    job.delete()
    job.wait_gone()
    wait_nothing_left(shared_system, uid)
    assert outputs
    assert all(Path(local_path(output.uri)).exists() for output in outputs)


def test_a_job_that_somebody_else_still_holds_blocks_nobody(shared_system: System) -> None:
    jobs = []
    for number, wait in enumerate((wait_running, wait_sent, wait_queued)):  # one after the other: each in its own place
        manifest = make_job(f"held-{number}", parameters=lasting(300))
        manifest["metadata"]["finalizers"] = ["example.com/held"]
        jobs.append(shared_system.submit(manifest))
        wait(jobs[-1])
    for job in jobs:
        job.delete()
    for job in jobs:
        job.wait_phase(Phase.CANCELLED)
    shared_system.submit(make_job("after-held")).wait_phase(Phase.SUCCEEDED)
    uids = [uid_of(job) for job in jobs]
    wait_for("nothing but a log is left", lambda: all(f"/{LOGS}/" in left for left in left_of(shared_system, *uids)))
    for job in jobs:
        assert job.patch_metadata(finalizers=None).returncode == 0
        job.wait_gone()
    wait_nothing_left(shared_system, *uids)


def test_a_job_that_goes_in_spite_of_its_finalizer_is_stopped(shared_system: System) -> None:
    running, sent = (
        shared_system.submit(make_job(name, parameters=lasting(300))) for name in ("torn-away", "never-run")
    )
    wait_for(
        "one runs and one is sent",
        lambda: {running.status().phase, sent.status().phase} == {Phase.RUNNING, Phase.QUEUED},
    )
    for job in (running, sent):
        job.wait_until("is sent", lambda status: status.execution_attempts == 1)
    uids = [uid_of(running), uid_of(sent)]
    os.kill(shared_system.operator.pid, signal.SIGSTOP)  # so that it sees a job no more until it is gone
    try:
        for job in (running, sent):
            assert job.patch_metadata(finalizers=None).returncode == 0
            job.delete()
            job.wait_gone()
    finally:
        os.kill(shared_system.operator.pid, signal.SIGCONT)
    wait_for("only flags are left", lambda: all(left.startswith("cancel:") for left in left_of(shared_system, *uids)))
    shared_system.submit(make_job("after-torn-away")).wait_phase(Phase.SUCCEEDED)
    assert not any((shared_system.outputs / name).exists() for name in ("torn-away", "never-run"))


def test_the_finalizer_is_there_from_dispatch_to_the_end(shared_system: System, tmp_path: Path) -> None:
    control_plane, namespace = shared_system.control_plane, shared_system.namespace
    with recorded(control_plane, namespace, tmp_path / "states") as states:
        job = shared_system.submit(make_job("held", suspend=True))
        job.wait_phase(Phase.SUSPENDED)
        assert job.patch(suspend=False).returncode == 0
        job.wait_phase(Phase.SUCCEEDED)

        def shown() -> list[Manifest]:
            return [state for state in states() if state["metadata"]["name"] == "held"]

        wait_for("its label is shown", lambda: any("labels" in state["metadata"] for state in shown()))
        seen = shown()
    attempts = [state.get("status", {}).get("attempts", []) for state in seen]
    held = [FINALIZER in state["metadata"].get("finalizers", ()) for state in seen]
    first, last = held.index(True), len(held) - held[::-1].index(True)
    assert all(held[first:last])
    assert not any(attempts[: first + 1]), "it was sent before it was held"
    assert attempts[first + 1]
    assert not held[-1]


def test_a_job_is_deleted_before_the_operator_has_seen_it(breakable_system: System) -> None:
    breakable_system.operator.stop()
    job = breakable_system.submit(make_job("unseen"))
    uid = uid_of(job)
    job.delete()
    job.wait_gone()
    breakable_system.operator.start()
    breakable_system.submit(make_job("after-unseen")).wait_phase(Phase.SUCCEEDED)
    wait_nothing_left(breakable_system, uid)


def test_a_running_job_is_deleted_while_the_operator_is_down(breakable_system: System) -> None:
    job = breakable_system.submit(make_job("unfollowed", parameters=lasting(300)))
    job.wait_phase(Phase.RUNNING)
    uid = uid_of(job)
    breakable_system.operator.kill()
    job.delete()
    found = job.object()
    assert found
    assert found["metadata"]["deletionTimestamp"]
    breakable_system.operator.start()
    job.wait_gone()
    breakable_system.submit(make_job("after-unfollowed")).wait_phase(Phase.SUCCEEDED)
    wait_nothing_left(breakable_system, uid)
    assert not (breakable_system.outputs / job.name).exists()


def with_settings(system: System, settings: Mapping[str, str]) -> System:
    """Start a system whose operator and worker have these settings."""
    environment = QUICK | dict(settings)
    system.operator = Part(
        operator(system.state, system.settings, namespace=system.namespace, extra_env=environment), system.state
    )
    system.worker = Part(worker(system.state, system.settings, extra_env=environment), system.state)
    return system.start()


@pytest.mark.parametrize(
    ("seconds", "settings"),
    [
        pytest.param(300, {"DELETE_FORCE_S": "3"}, id="an attempt that runs is stopped once Redis is back"),
        pytest.param(8, {"SELF_STOP_S": "15", "DELETE_FORCE_S": "18"}, id="one that is about to publish has given up"),
    ],
)
def test_jobs_are_deleted_while_redis_is_down(idle_system: System, seconds: float, settings: Mapping[str, str]) -> None:
    system = with_settings(idle_system, settings)
    running = system.submit(make_job("running", parameters=lasting(seconds)))
    running.wait_phase(Phase.RUNNING)  # of two jobs that come at once, either may be sent first
    sent = system.submit(make_job("sent", parameters=lasting(300)))
    wait_sent(sent)
    uids = [uid_of(running), uid_of(sent)]
    system.redis.stop()
    if "SELF_STOP_S" in settings:
        folder = system.state.storage / "work" / uids[0] / "attempt-1"
        wait_for("the attempt has its result", folder.exists)
    for job in (running, sent):
        job.delete()
    for job in (running, sent):
        job.wait_gone()
    system.redis.start()
    following = system.submit(make_job("next"))
    following.wait_phase(Phase.SUCCEEDED)
    wait_for("only flags are left", lambda: all(left.startswith("cancel:") for left in left_of(system, *uids)))
    assert_only_outputs_of(following, system)


def many_jobs(namespace: str) -> list[Manifest]:
    """Return the jobs of a namespace."""
    jobs = [make_job(f"job-{number}", parameters=lasting(300)) for number in range(JOBS_OF_A_NAMESPACE)]
    return [job | {"metadata": job["metadata"] | {"namespace": namespace}} for job in jobs]


def test_a_namespace_is_deleted_with_a_hundred_jobs(system: System) -> None:
    workers = [system.worker, system.another_worker(), system.another_worker()]
    kubectl, namespace = system.control_plane.run_kubectl, system.namespace
    kubectl.apply(*many_jobs(namespace))

    def listed() -> list[Manifest]:
        return list(kubectl.get("rj", "-n", namespace)["items"])

    def in_their_phases() -> bool:
        states = [job.get("status", {}) for job in listed()]
        sent = [state for state in states if state.get("executionAttempts")]
        return len([s for s in sent if s["phase"] == "Running"]) == len(workers) and len(sent) == 2 * len(workers)

    wait_for("each worker runs a job and has one sent", in_their_phases)
    uids = [job["metadata"]["uid"] for job in listed()]
    assert len(uids) == JOBS_OF_A_NAMESPACE
    before = len(system.operator.log.read_text())
    kubectl("delete", "namespace", namespace, "--timeout=90s", timeout_s=120)
    # A job that the API server deletes while it gets its finalizer is stopped afterwards, by a flag that lapses.
    wait_for("only flags are left", lambda: all(left.startswith("cancel:") for left in left_of(system, *uids)))
    said = system.operator.log.read_text()[before:]
    assert len([line for line in said.splitlines() if "WARNING" in line or "ERROR" in line]) <= 1, said
    assert "Traceback" not in said
    kubectl("create", "namespace", namespace)
    following = system.submit(make_job("next"))
    following.wait_phase(Phase.SUCCEEDED)
    assert_only_outputs_of(following, system)
