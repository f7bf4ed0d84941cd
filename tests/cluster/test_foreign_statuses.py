"""A status that somebody else writes is set right, and the job goes on as if nothing had been."""

import json
import re
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from recon_api.resource import FINALIZER, FINISHED_LABEL
from recon_api.status import ConditionType, Phase
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

YEAR_0 = "0000-01-01T00:00:00Z"
"""A time that the API server lets through and nobody can read."""

END_OF_TIME = "9999-12-31T23:59:59Z"
"""One to which nothing can be added."""

SOME_TIME = "2026-01-01T00:00:00Z"


def write_status(job: Job, **fields: Any) -> None:
    """Write fields of a job's status, as only the operator should; null removes one."""
    done = job.kubectl(
        "patch", "rj", job.name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": fields})
    )
    assert done.returncode == 0, done.stderr


def condition(kind: ConditionType) -> dict[str, str]:
    """Return a condition that holds, as somebody else writes it."""
    return {"type": kind, "status": "True", "reason": "Mine", "lastTransitionTime": SOME_TIME}


def metadata(job: Job) -> dict[str, Any]:
    """Return a job's metadata."""
    found: dict[str, Any] = (job.object() or {})["metadata"]
    return found


def has_label(job: Job) -> bool:
    """Say whether a job has the label of finished jobs."""
    return FINISHED_LABEL in metadata(job).get("labels", {})


def corrections(system: System) -> int:
    """Return how many statuses the operator has set right since it started."""
    url = f"http://127.0.0.1:{system.settings.operator_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found = re.search(r"^reconstruction_status_corrections_total (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found
    return int(float(found[1]))


def events(job: Job, reason: str) -> list[str]:
    """Return the notes of a job's events of that reason."""
    selector = f"regarding.name={job.name},reason={reason}"
    done = job.kubectl("get", "events.v1.events.k8s.io", f"--field-selector={selector}", "-o", "json")
    return [item["note"] for item in json.loads(done.stdout)["items"]]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        pytest.param({"phase": "Succeeded"}, "phase", id="an end without its condition"),
        pytest.param({"executionAttempts": 0, "attempts": []}, "attempts, executionAttempts", id="no attempt"),
        pytest.param({"executionAttempts": 2**63 - 1}, "executionAttempts", id="a huge number of attempts"),
        pytest.param({"startTime": YEAR_0}, "startTime", id="a time that nobody can read"),
        pytest.param({"taskID": "mine", "worker": None, "message": "hello"}, "message, taskID, worker", id="several fields"),
        pytest.param(
            {"cancellation": {"state": "Stopping", "confirmedAt": SOME_TIME}}, "cancellation", id="a cancellation"
        ),
    ],
)  # fmt: skip
def test_a_running_job_goes_on(
    shared_system: System, request: pytest.FixtureRequest, fields: Mapping[str, Any], named: str
) -> None:
    job = shared_system.submit(make_job(f"edited-{request.node.callspec.indices['fields']}", parameters=lasting(6)))
    before = job.wait_phase(Phase.RUNNING)
    corrected = corrections(shared_system)
    write_status(job, **fields)
    wait_for("the status is set right", lambda: corrections(shared_system) == corrected + 1)
    after = job.status()
    assert (after.phase, after.attempts, after.task_id) == (Phase.RUNNING, before.attempts, before.task_id)
    (note,) = wait_for("there is an event", lambda: events(job, "StatusCorrected"))
    assert note == f"Somebody else changed {named} of the status; it is set right"
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1
    assert corrections(shared_system) == corrected + 1, "none of the operator's own writes is taken for somebody else's"


def test_no_write_of_ours_is_taken_for_somebody_elses(shared_system: System) -> None:
    corrected = corrections(shared_system)
    jobs = [shared_system.submit(make_job(f"many-{number}", priority=number)) for number in range(12)]
    failing = shared_system.submit(
        make_job(
            "many-failing",
            parameters={"noop": True, "fail": "ReconstructionFailed"},
            retryStrategy={"backoff": {"duration": "1s", "maxDuration": "1s"}},
        )
    )
    stopped = shared_system.submit(make_job("many-stopped", parameters=lasting(60), priority=1000))
    stopped.wait_phase(Phase.RUNNING)
    for change in ({"suspend": True}, {"cancellation": "Requested"}, {"suspend": False}, {"cancellation": "Confirmed"}):
        stopped.patch(**change)
        jobs[0].patch(priority=len(change))
    stopped.wait_phase(Phase.CANCELLED)
    for job in jobs:
        job.wait_phase(Phase.SUCCEEDED)
    failing.wait_until("has ended", lambda status: status.phase.finished)
    assert corrections(shared_system) == corrected


def test_a_waiting_job_gets_its_status_back(idle_system: System) -> None:
    idle_system.redis.start()
    idle_system.operator.start()
    job = idle_system.submit(make_job())
    before = job.wait_until("waits in its place", lambda s: s.phase is Phase.QUEUED and s.queue is not None)
    job.kubectl(
        "patch", "rj", job.name, "--subresource=status", "--type=json", "-p", '[{"op":"remove","path":"/status"}]'
    )
    job.wait_until("has its status back", lambda status: status == before)


def test_who_writes_again_and_again_only_keeps_the_operator_from_progress(shared_system: System) -> None:
    job = shared_system.submit(make_job("looped", parameters=lasting(5)))
    job.wait_phase(Phase.RUNNING)
    corrected, written = corrections(shared_system), 0
    while not job.status().phase.finished:
        write_status(job, message=f"mine {written}")
        written += 1
    status = job.status()
    assert (status.phase, status.execution_attempts) == (Phase.SUCCEEDED, 1)
    assert corrections(shared_system) - corrected <= written


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        pytest.param(ConditionType.COMPLETE, Phase.SUCCEEDED, id="complete"),
        pytest.param(ConditionType.FAILED, Phase.FAILED, id="failed"),
    ],
)
def test_an_end_with_its_condition_ends_the_job(shared_system: System, kind: ConditionType, phase: Phase) -> None:
    job = shared_system.submit(make_job(f"ended-{phase.lower()}", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    write_status(job, phase=phase, conditions=[condition(kind)])

    wait_for("the job is let go of", lambda: has_label(job) and FINALIZER not in metadata(job).get("finalizers", ()))
    status = job.status()
    assert status.phase is phase
    assert status.completion_time is not None
    shared_system.submit(make_job(f"after-{phase.lower()}")).wait_phase(Phase.SUCCEEDED)


def test_a_condition_alone_brings_its_phase(shared_system: System) -> None:
    job = shared_system.submit(make_job("condition-alone", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    write_status(job, conditions=[condition(ConditionType.FAILED)])
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "Mine")
    shared_system.submit(make_job("after-condition")).wait_phase(Phase.SUCCEEDED)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"executionAttempts": 0, "attempts": [], "taskID": ""}, id="all attempts are gone"),
        pytest.param({"attempts": []}, id="what is known of the attempts is gone"),
        pytest.param({"phase": "Failed", "completionTime": SOME_TIME}, id="it seems to have failed"),
        pytest.param({"phase": "Pending"}, id="it seems not to have been seen"),
        pytest.param({"executionAttempts": 9}, id="there seem to have been more attempts"),
        pytest.param(
            {"attempts": [{"number": 1, "endTime": END_OF_TIME, "reason": "CUDAOutOfMemory"}]},
            id="its attempt ends at the end of time",
        ),
    ],
)
def test_what_somebody_writes_while_the_operator_is_away(system: System, fields: Mapping[str, Any]) -> None:
    job = system.submit(make_job(parameters=lasting(12)))
    job.wait_phase(Phase.RUNNING)
    system.operator.kill()
    write_status(job, **fields)
    system.operator.start()
    wait_for("there is an event", lambda: events(job, "StatusCorrected"))
    status = job.wait_phase(Phase.SUCCEEDED)
    assert (status.execution_attempts, [a.number for a in status.attempts]) == (1, [1])


def label(job: Job) -> None:
    """Set the label of finished jobs."""
    done = job.kubectl("label", "rj", job.name, f"{FINISHED_LABEL}=true")
    assert done.returncode == 0, done.stderr


def test_the_label_of_finished_jobs_hides_no_running_one(shared_system: System) -> None:
    job = shared_system.submit(make_job("labelled", parameters=lasting(8)))
    job.wait_phase(Phase.RUNNING)
    label(job)
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_a_job_made_of_a_finished_ones_manifest_runs(shared_system: System) -> None:
    first = shared_system.submit(make_job("first"))
    first.wait_phase(Phase.SUCCEEDED)
    wait_for("it is labelled", lambda: has_label(first))
    copied = {**(first.object() or {}), "metadata": {"name": "copied", "labels": metadata(first)["labels"]}}
    assert shared_system.submit(copied).wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_a_labelled_job_is_found_when_the_operator_comes(idle_system: System) -> None:
    manifest = make_job()
    manifest["metadata"]["labels"] = {FINISHED_LABEL: "true"}
    job = idle_system.submit(manifest)
    idle_system.start()
    job.wait_phase(Phase.SUCCEEDED)


def test_a_labelled_job_that_runs_can_be_deleted(shared_system: System) -> None:
    job = shared_system.submit(make_job("labelled-deleted", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    label(job)
    job.delete()
    job.wait_gone()
