"""Jobs written under a newer definition than the operator knows: what it cannot read it does not guess."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from recon_api.crd import unseen_status
from recon_api.status import ConditionType, Phase
from recon_dev.state import StateDir
from tests.support.control_plane import start_control_plane
from tests.support.jobs import Job, has_condition, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("newer_definition")  # they share a control plane and a system

UNREADABLE = 5000
"""A priority that the newer definition allows."""

SENTENCE = (
    "spec.priority cannot be read by this version of the operator: input should be less than or equal to 1000; "
    "create the job anew, or upgrade the operator"
)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of its own, on an API server that takes higher priorities."""
    folder = tmp_path_factory.mktemp("newer")
    with ExitStack() as stack:
        control_plane = start_control_plane(StateDir(folder / "control-plane"))
        stack.callback(control_plane.stop)
        place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/priority/maximum"
        change = json.dumps([{"op": "replace", "path": place, "value": 10_000}])
        control_plane.run_kubectl("patch", "crd", "reconstructionjobs.reconstruction.dev", "--type=json", "-p", change)
        system = System(control_plane, folder / "system")
        stack.callback(system.stop)
        yield system.start()


def make_unreadable(job: Job) -> None:
    """Change a job to what the operator cannot read; the new definition takes a moment to be served."""
    wait_for("the newer definition is served", lambda: job.patch(priority=UNREADABLE).returncode == 0)


def assert_failed_for_its_spec(job: Job) -> None:
    """Wait until the job has failed, and check that its owner is told why."""
    status = job.wait_phase(Phase.FAILED)
    assert has_condition(status, ConditionType.FAILED, "InvalidSpec")
    assert status.message == f"InvalidSpec: {SENTENCE}"
    assert status.completion_time is not None
    wait_for("it is labelled", job.is_labelled)


def test_a_running_attempt_goes_on(newer: System) -> None:
    job = newer.submit(make_job("running", parameters=lasting(6)))
    job.wait_phase(Phase.RUNNING)
    make_unreadable(job)
    status = job.wait_phase(Phase.SUCCEEDED)
    assert status.execution_attempts == 1
    assert status.progress is not None
    assert status.progress.percentage == 100


def test_a_failed_attempt_is_not_followed_by_another(newer: System) -> None:
    parameters = {"seconds": 4, "fail": "ReconstructionFailed"}
    # Longer than any machine takes to change the job, should its attempt end before that.
    backoff = {"backoff": {"duration": "5m"}}
    job = newer.submit(make_job("failing", parameters=parameters, retryStrategy=backoff))
    job.wait_phase(Phase.RUNNING)
    make_unreadable(job)
    assert_failed_for_its_spec(job)
    assert [attempt.reason for attempt in job.status().attempts] == ["ReconstructionFailed"]


def test_a_new_job_fails(newer: System) -> None:
    job = newer.submit(make_job("new", priority=UNREADABLE))
    assert_failed_for_its_spec(job)
    assert job.status().execution_attempts == 0


def test_a_suspended_job_fails_when_it_becomes_unreadable(newer: System) -> None:
    job = newer.submit(make_job("suspended", suspend=True))
    job.wait_phase(Phase.SUSPENDED)
    make_unreadable(job)
    assert_failed_for_its_spec(job)


def test_another_controllers_job_is_left_alone(newer: System) -> None:
    newer.submit(make_job("theirs", priority=UNREADABLE, managedBy="example.com/other"))
    newer.submit(make_job("ours")).wait_phase(Phase.SUCCEEDED)
    assert (newer.job("theirs").object() or {})["status"] == unseen_status()


def test_a_job_that_came_while_the_operator_was_away_fails(newer: System) -> None:
    newer.operator.kill()
    job = newer.submit(make_job("unseen", priority=UNREADABLE))
    newer.operator.start()
    assert_failed_for_its_spec(job)


def test_an_unreadable_running_job_can_be_deleted(newer: System) -> None:
    job = newer.submit(make_job("deleted", parameters=lasting(60)))
    job.wait_phase(Phase.RUNNING)
    make_unreadable(job)
    job.delete()
    job.wait_gone()
    newer.submit(make_job("after-deleted")).wait_phase(Phase.SUCCEEDED)
