"""A status that somebody else writes: what cannot be true is refused, and the job goes on and says so again."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Mapping
from typing import Any

import pytest

from recon_api.keys import attempt_key
from recon_api.resource import FINALIZER, FINISHED_LABEL
from recon_api.status import ConditionType, Phase
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

YEAR_0 = "0000-01-01T00:00:00Z"
"""A time that nobody can read."""

END_OF_TIME = "9999-12-31T23:59:59Z"
"""One to which nothing can be added."""

SOME_TIME = "2026-01-01T00:00:00Z"


def write_status(job: Job, **fields: Any) -> subprocess.CompletedProcess[str]:
    """Write fields of a job's status, as only the operator should; null removes one."""
    return job.kubectl(
        "patch", "rj", job.name, "--subresource=status", "--type=merge", "-p", json.dumps({"status": fields})
    )


def condition(kind: ConditionType) -> dict[str, str]:
    """Return a condition that holds, as somebody else writes it."""
    return {"type": kind, "status": "True", "reason": "Mine", "lastTransitionTime": SOME_TIME}


def metadata(job: Job) -> dict[str, Any]:
    """Return a job's metadata."""
    found: dict[str, Any] = (job.object() or {})["metadata"]
    return found


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
    "fields",
    [
        pytest.param({"phase": "Succeeded"}, id="an end without its condition"),
        pytest.param({"conditions": [condition(ConditionType.FAILED)]}, id="a condition without its end"),
        pytest.param({"executionAttempts": 0, "attempts": []}, id="no attempt"),
        pytest.param({"executionAttempts": 2**63 - 1}, id="a huge number of attempts"),
        pytest.param({"attempts": []}, id="what is known of the attempts is gone"),
        pytest.param({"startTime": YEAR_0}, id="a time that nobody can read"),
        pytest.param({"startTime": END_OF_TIME}, id="a time to which nothing can be added"),
    ],
)
def test_the_api_server_refuses_what_cannot_be_true(
    shared_system: System, request: pytest.FixtureRequest, fields: Mapping[str, Any]
) -> None:
    job = shared_system.submit(make_job(f"refused-{request.node.callspec.indices['fields']}", parameters=lasting(3)))
    job.wait_phase(Phase.RUNNING)
    assert write_status(job, **fields).returncode != 0
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"phase": "Queued"}, id="another phase"),
        pytest.param({"taskID": "mine", "worker": None, "message": "hello"}, id="several fields"),
        pytest.param({"progress": None}, id="no progress"),
        pytest.param({"conditions": None}, id="no conditions"),
        pytest.param({"cancellation": {"state": "Stopping", "confirmedAt": SOME_TIME}}, id="a cancellation"),
    ],
)
def test_a_running_job_goes_on_and_says_so(
    shared_system: System, request: pytest.FixtureRequest, fields: Mapping[str, Any]
) -> None:
    job = shared_system.submit(make_job(f"edited-{request.node.callspec.indices['fields']}", parameters=lasting(6)))
    before = job.wait_until(  # the log's place becomes known a moment after the phase
        "runs and has a log", lambda status: status.phase is Phase.RUNNING and bool(status.attempts[-1].log)
    )
    edited = write_status(job, **fields)
    assert edited.returncode == 0, edited.stderr
    job.wait_until(
        "says again that it runs",
        lambda status: (
            (status.phase, status.attempts, status.worker, status.message)
            == (Phase.RUNNING, before.attempts, before.worker, before.message)
            and status.progress is not None
            and has_condition(status, ConditionType.RUNNING, "Started")
        ),
    )
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_who_writes_again_and_again_keeps_no_job_from_its_end(shared_system: System) -> None:
    job = shared_system.submit(make_job("looped", parameters=lasting(5)))
    job.wait_phase(Phase.RUNNING)
    written = 0
    while not job.status().phase.finished:
        assert write_status(job, message=f"mine {written}").returncode == 0
        written += 1
    status = job.status()
    assert (status.phase, status.execution_attempts) == (Phase.SUCCEEDED, 1)


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        pytest.param(ConditionType.COMPLETE, Phase.SUCCEEDED, id="complete"),
        pytest.param(ConditionType.FAILED, Phase.FAILED, id="failed"),
    ],
)
def test_an_end_that_somebody_else_writes_whole_ends_the_job(
    shared_system: System, kind: ConditionType, phase: Phase
) -> None:
    job = shared_system.submit(make_job(f"ended-{phase.lower()}", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    ended = write_status(job, phase=phase, completionTime=SOME_TIME, conditions=[condition(kind)])
    assert ended.returncode == 0, ended.stderr

    wait_for("the job is let go of", lambda: job.is_labelled() and FINALIZER not in metadata(job).get("finalizers", ()))
    assert job.status().phase is phase
    shared_system.submit(make_job(f"after-{phase.lower()}")).wait_phase(Phase.SUCCEEDED)


def test_an_attempt_that_somebody_ends_while_the_operator_is_away_is_followed_by_the_next(
    breakable_system: System,
) -> None:
    job = breakable_system.submit(make_job("ended-by-another", parameters=lasting(12)))
    job.wait_phase(Phase.RUNNING)
    breakable_system.operator.kill()
    edited = write_status(job, attempts=[{"number": 1, "endTime": SOME_TIME, "reason": "WorkerLost"}])
    assert edited.returncode == 0, edited.stderr
    breakable_system.operator.start()
    status = job.wait_phase(Phase.SUCCEEDED)
    assert (status.execution_attempts, [a.number for a in status.attempts]) == (2, [1, 2])


def test_a_job_that_was_restored_goes_on_from_the_attempt_that_was_sent(breakable_system: System) -> None:
    job = breakable_system.submit(make_job("restored", parameters=lasting(4)))
    job.wait_phase(Phase.RUNNING)
    uid = metadata(job)["uid"]
    breakable_system.operator.kill()
    breakable_system.client().set(attempt_key(uid), 5)
    breakable_system.operator.start()
    status = job.wait_phase(Phase.SUCCEEDED)
    assert status.execution_attempts == 5
    (note,) = wait_for("there is an event", lambda: events(job, "StatusCorrected"))
    assert note == "The status knew of attempt 1, and attempt 5 was sent; the job goes on from there"
    assert corrections(breakable_system) == 1


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
    wait_for("it is labelled", first.is_labelled)
    copied = {**(first.object() or {}), "metadata": {"name": "copied", "labels": metadata(first)["labels"]}}
    assert shared_system.submit(copied).wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_a_labelled_job_is_found_when_the_operator_comes(breakable_system: System) -> None:
    manifest = make_job("labelled-before")
    manifest["metadata"]["labels"] = {FINISHED_LABEL: "true"}
    breakable_system.operator.kill()
    job = breakable_system.submit(manifest)
    breakable_system.operator.start()
    job.wait_phase(Phase.SUCCEEDED)


def test_a_labelled_job_that_runs_can_be_deleted(shared_system: System) -> None:
    job = shared_system.submit(make_job("labelled-deleted", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    label(job)
    job.delete()
    job.wait_gone()
