"""`release-jobs`, as a chart's pre-delete hook runs it: no finalizer is left, and nothing runs, whatever is away."""

import subprocess
from collections.abc import Iterator

import pytest

from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_dev.operator_process import operator
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, lasting, make_job
from tests.support.operators import SHORT_LEASE, Operators, operators_of, redis_and_worker
from tests.support.system import QUICK, System
from tests.support.waiting import wait_for

LOST_LEASE = 3

pytestmark = pytest.mark.xdist_group("release_jobs")  # they share Redis and a worker


@pytest.fixture(scope="module")
def shared(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Redis and a worker that the tests leave running."""
    with redis_and_worker(control_plane, tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture
def site(shared: System, namespace: str) -> System:
    """Redis and a worker, a namespace of the test's own, and no operator."""
    shared.namespace = namespace
    return shared


@pytest.fixture
def operators(site: System) -> Iterator[Operators]:
    """None yet."""
    with operators_of(site) as operators:
        yield operators


def release_jobs(system: System, *arguments: str) -> str:
    """Run the command as the hook does; return what it says."""
    environment = QUICK | SHORT_LEASE | {"LEADER_ELECTION": "true", "POD_NAME": "hook"}
    component = operator(system.state, system.settings, namespace=system.namespace, extra_env=environment)
    component.prepare()
    command = [*component.command, "release-jobs", *arguments]
    done = subprocess.run(command, env=dict(component.env), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def finalizers(job: Job) -> list[str]:
    found = job.object()
    assert found
    return list(found["metadata"].get("finalizers", ()))


def running(system: System) -> Job:
    """Return a job that runs, and has the finalizer."""
    job = system.submit(make_job("running", parameters=lasting(60)))
    job.wait_percentage(10)
    assert finalizers(job) == [FINALIZER]
    return job


def leases_of_attempts(system: System) -> list[bytes]:
    return list(system.client().scan_iter("lease:*"))


def test_operators_that_still_run_put_no_finalizer_back(site: System, operators: Operators) -> None:
    leader, standby = operators.start_leader("first"), operators.start("second")
    job = running(site)
    queued = site.submit(make_job("queued", parameters=lasting(60)))
    queued.wait_phase(Phase.QUEUED)
    said = release_jobs(site)

    assert leader.part.wait_exit() == LOST_LEASE
    assert [finalizers(each) for each in (job, queued)] == [[], []]
    assert not leases_of_attempts(site)
    assert "the lease is taken from first_" in said
    assert standby.leader_metric == 0
    before = [each.object() for each in (job, queued)]
    assert "0 jobs are let go" in release_jobs(site), "again, it finds nothing to do"
    assert [each.object() for each in (job, queued)] == before


def test_a_job_that_was_let_go_goes_on_after_another_install(site: System, operators: Operators) -> None:
    operators.start("first")
    job = running(site)
    release_jobs(site)
    operators.stop()
    operators.delete_lease()
    operators.start("another")
    assert job.wait_phase(Phase.SUCCEEDED, within_s=180).execution_attempts == 2


def test_what_a_job_has_finished_goes_with_it(site: System, operators: Operators) -> None:
    operators.start("first")
    job = site.submit(make_job("running", parameters=lasting(20)))
    job.wait_percentage(40)
    finished_steps = site.work_folder(job)
    assert finished_steps.exists()
    release_jobs(site, "--discard")
    assert not finalizers(job)
    wait_for("its files are deleted", lambda: not finished_steps.exists())


def test_a_deleted_job_goes(site: System, operators: Operators) -> None:
    leader = operators.start("first")
    job = running(site)
    leader.part.kill()
    job.delete()
    release_jobs(site)
    assert job.object() is None
    assert not leases_of_attempts(site)


def test_an_attempt_that_does_not_stop_is_killed(site: System, operators: Operators) -> None:
    operators.start("first")
    job = site.submit(make_job("hanging", parameters={"hang": True}))
    job.wait_percentage(20)
    assert "did not stop by itself and is killed" in release_jobs(site)
    assert not finalizers(job)
    assert not leases_of_attempts(site)


def test_without_redis_the_jobs_are_let_go_all_the_same(site: System, operators: Operators) -> None:
    operators.start("first")
    job = running(site)
    site.redis.stop()
    assert "could not be told to stop" in release_jobs(site)
    assert not finalizers(job)
