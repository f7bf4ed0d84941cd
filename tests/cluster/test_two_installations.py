"""Two installations on one cluster, each with a Redis and a worker of its own: every job belongs to one of them."""

import json
import re
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_dev.operator_process import operator
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, lasting, make_job, recorded
from tests.support.operators import SHORT_LEASE
from tests.support.system import QUICK, Part, System
from tests.support.waiting import wait_for

pytestmark = pytest.mark.xdist_group("two_installations")  # they share a cluster of their own

SIX = [f"job-{number}" for number in range(6)]


@dataclass(frozen=True)
class Site:
    """One installation: a Redis and a worker that run, and an operator that a test starts and stops."""

    name: str
    """By which its jobs name it."""
    system: System

    def operator(self, **settings: str) -> Part:
        """Return its operator, not started, which manages the system's namespace where the settings do not differ."""
        return self.system.operator_with({"INSTALLATION": self.name, **settings})

    def release_jobs(self) -> None:
        """Uninstall it, as the chart's hook does once its operator has been stopped."""
        settings = QUICK | SHORT_LEASE | {"INSTALLATION": self.name, "LEADER_ELECTION": "true", "POD_NAME": "hook"}
        settings |= {"LEASE_NAME": self.name.partition("/")[2]}
        component = operator(
            self.system.state, self.system.settings, namespace=self.system.namespace, extra_env=settings
        )
        component.prepare()
        command = [*component.command, "release-jobs"]
        done = subprocess.run(
            command, env=dict(component.env), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr

    def attempts_begun(self) -> list[str]:
        """Return what its worker has begun so far, as `<job> attempt <n>`."""
        log, here = self.system.worker.log.read_text(), re.escape(self.system.namespace)
        return [f"{job} {attempt}" for job, attempt in re.findall(rf"begins, model.*{here}/(\S+) (attempt \d+)", log)]

    def metric(self, line: str) -> bool:
        """Say whether its operator tells Prometheus this."""
        url = f"http://127.0.0.1:{self.system.settings.operator_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return line in answer.read().decode().splitlines()


@pytest.fixture(scope="module")
def systems(own_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[System]]:
    """Two times a Redis and a worker that run."""
    with ExitStack() as stack:
        systems = [System(own_control_plane, tmp_path_factory.mktemp(name)) for name in ("first", "second")]
        for system in systems:
            stack.callback(system.stop)
            system.redis.start()
            system.worker.start()
        yield systems


@pytest.fixture
def sites(systems: list[System], own_control_plane: ControlPlane) -> tuple[Site, Site]:
    """Two installations that manage the same new namespace; neither operator runs yet."""
    namespace = own_control_plane.make_namespace()
    for system in systems:
        system.namespace = namespace
    return Site("first/reconstruction-operator", systems[0]), Site("second/reconstruction-operator", systems[1])


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """What stops whatever is put into it."""
    with ExitStack() as stack:
        yield stack


def started(running: ExitStack, part: Part, *, wait: bool = True) -> Part:
    running.callback(part.stop)
    return part.start(wait=wait)


def owner(job: Job) -> str:
    return job.status().operator


def start_owned(running: ExitStack, site: Site, *names: str, **spec: object) -> tuple[Part, list[Job]]:
    """Start an operator, and have it take jobs that last for a while."""
    part = started(running, site.operator())
    jobs = [site.system.submit(make_job(name, **spec)) for name in names]
    for job in jobs:
        job.wait_until("names its operator", lambda status: status.operator == site.name)
    return part, jobs


def start_beside(running: ExitStack, site: Site, **settings: str) -> Part:
    """Start an operator, and wait until it says that it has seen a job of another one."""
    part = site.operator(**settings)
    before = part.log_length() if part.log.exists() else 0
    started(running, part).wait_logged("works here too: its jobs are left alone", after=before)
    return part


def events(job: Job, reason: str) -> list[Mapping[str, str]]:
    found = job.kubectl("get", "events", "-o", "json", f"--field-selector=reason={reason}").stdout
    return [item for item in json.loads(found)["items"] if item["involvedObject"]["name"] == job.name]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="both manage one namespace"),
        pytest.param({"NAMESPACES": ""}, id="one manages all namespaces, the other one of them"),
    ],
)
def test_each_job_runs_once(
    sites: tuple[Site, Site], running: ExitStack, tmp_path: Path, settings: Mapping[str, str]
) -> None:
    first, second = sites
    parts = [started(running, first.operator(), wait=False), started(running, second.operator(**settings), wait=False)]
    for part in parts:
        part.wait_ready()
    with recorded(first.system.control_plane, first.system.namespace, tmp_path / "states") as states:
        jobs = [first.system.submit(make_job(name, parameters=lasting(2))) for name in SIX]
        for job in jobs:
            job.wait_phase(Phase.SUCCEEDED)
        seen = states()

    begun = first.attempts_begun() + second.attempts_begun()
    assert sorted(begun) == [f"{name} attempt 1" for name in SIX]
    for name in SIX:
        statuses = [job.get("status", {}) for job in seen if job["metadata"]["name"] == name]
        named = [who for who, _ in groupby(status.get("operator", "") for status in statuses)]
        assert named in (["", first.name], ["", second.name])
        numbers = [status.get("executionAttempts", 0) for status in statuses]
        assert all(before <= after for before, after in pairwise(numbers))
        phases = [phase for phase, _ in groupby(status["phase"] for status in statuses)]
        assert len(phases) == len(set(phases)), "no phase comes again"


def test_the_other_one_says_so(sites: tuple[Site, Site], running: ExitStack) -> None:
    first, second = sites
    _, (job, other) = start_owned(running, first, "job", "other", suspend=True)
    part = start_beside(running, second)
    wait_for("an event of each job", lambda: events(job, "OtherOperator") and events(other, "OtherOperator"))
    assert second.metric(f'reconstruction_jobs_of_other_operators{{operator="{first.name}"}} 2.0')
    assert not second.metric(f'reconstruction_jobs{{namespace="{job.namespace}",phase="Suspended"}} 2.0')

    part.stop()
    part = start_beside(running, second)
    mine = second.system.submit(make_job("mine", suspend=True))
    mine.wait_until("is taken by one of them", lambda status: status.operator != "")
    part.stop()
    assert [len(events(each, "OtherOperator")) for each in (job, other)] == [1, 1], "not again after a start"


def test_the_jobs_of_one_that_is_uninstalled_go_on(sites: tuple[Site, Site], running: ExitStack) -> None:
    first, second = sites
    owns, jobs = start_owned(running, first, "runs", parameters=lasting(30))
    jobs[0].wait_phase(Phase.RUNNING)
    jobs += [first.system.submit(make_job(name)) for name in ("waits", "waits-too")]
    start_beside(running, second)
    for job in jobs:
        job.wait_until("names its operator", lambda status: status.operator == first.name)
    owns.stop()
    first.release_jobs()
    for job in jobs:
        assert job.wait_phase(Phase.SUCCEEDED).operator == second.name
    wait_for(
        "none is held any more",
        lambda: all(FINALIZER not in (job.object() or {})["metadata"].get("finalizers", []) for job in jobs),
    )


def test_an_installation_that_comes_back_goes_on_by_itself(sites: tuple[Site, Site], running: ExitStack) -> None:
    first, second = sites
    owns, (job,) = start_owned(running, first, "job", parameters=lasting(600))  # it outlasts whatever starts here
    start_beside(running, second)
    owns.kill()
    assert job.patch(priority=3).returncode == 0
    started(running, first.operator())
    status = job.wait_until("its change is seen", lambda s: s.observed_generation == 2 and s.phase is Phase.RUNNING)
    assert (status.operator, status.execution_attempts) == (first.name, 1)
    job.delete()
    job.wait_gone()  # the worker is free for the next test


@pytest.mark.parametrize(
    ("adopts", "goes_on"),
    [
        pytest.param("first/reconstruction-operator", True, id="one that is named is taken over"),
        pytest.param("zeroth/x, first/reconstruction-operator", True, id="so is each of several"),
        pytest.param("first/reconstruction", False, id="one whose name only begins so is not"),
    ],
)
def test_a_renamed_installation_takes_over(
    sites: tuple[Site, Site], running: ExitStack, adopts: str, goes_on: bool
) -> None:
    first, second = sites
    owns, (job,) = start_owned(running, first, "job", parameters=lasting(3))
    owns.kill()
    first.system.worker.stop()
    try:
        if goes_on:
            started(running, second.operator(ADOPT_FROM=adopts))
            assert job.wait_phase(Phase.SUCCEEDED).operator == second.name
        else:
            start_beside(running, second, ADOPT_FROM=adopts)
            second.system.submit(make_job("mine")).wait_phase(Phase.SUCCEEDED)
            assert owner(job) == first.name
    finally:
        first.system.worker.start()


def test_a_finished_job_goes_by_its_owners_hand(sites: tuple[Site, Site], running: ExitStack) -> None:
    first, second = sites
    owns, (job,) = start_owned(running, first, "job", parameters=lasting(1))
    job.wait_phase(Phase.SUCCEEDED)
    wait_for("it has its label", lambda: "labels" in (job.object() or {})["metadata"])
    owns.kill()
    job.patch(ttlSecondsAfterFinished=1)
    started(running, second.operator())
    second.system.submit(make_job("mine", ttlSecondsAfterFinished=3)).wait_gone()  # so the second does remove jobs
    assert owner(job) == first.name

    first.release_jobs()
    job.wait_gone()
