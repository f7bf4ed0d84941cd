"""Two operators: one leads and writes, the other takes over, and whoever has lost the lease writes nothing."""

import os
import signal
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recon_api.status import Phase
from tests.support.audit import requests
from tests.support.control_plane import ControlPlane
from tests.support.jobs import lasting, make_job
from tests.support.operators import Operators, operators_of, redis_and_worker, time_of
from tests.support.proxies import proxy_to
from tests.support.system import System
from tests.support.waiting import wait_for

LOST_LEASE = 3
"""Exit code of an operator that lost its lease."""

pytestmark = pytest.mark.xdist_group("leader_election")  # they share Redis and a worker


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


def runs_out(lease: Mapping[str, Any]) -> datetime:
    """Return when a lease may be taken by others, if it is not renewed any more."""
    return time_of(lease, "renewTime") + timedelta(seconds=lease["leaseDurationSeconds"])


def wait_renewed(operators: Operators) -> None:
    """Wait until the lease is renewed once more, or made again."""
    renewed = operators.lease().get("renewTime")
    wait_for("the lease is renewed", lambda: operators.lease().get("renewTime", renewed) != renewed)


def run_a_job(system: System, name: str) -> None:
    """Have a job done, which takes a leader."""
    system.submit(make_job(name)).wait_phase(Phase.SUCCEEDED)


def test_one_leads_and_the_other_stands_by_until_it_is_told_to_stop(site: System, operators: Operators) -> None:
    first, second = operators.start("first", wait=False), operators.start("second", wait=False)
    leader = operators.wait_leader()
    standby = second if leader is first else first
    for each in (first, second):
        each.part.wait_ready()
    run_a_job(site, "chair")

    assert leader.leader_metric == 1
    assert standby.leader_metric == 0
    for each in (leader, standby):
        assert each.answer("/healthz") == "ok\n"
    assert standby.answer("/readyz") == "standing by\n"
    refused = ("create", "leases", 409)  # where both of them found no lease
    requested = {
        (r.verb, r.resource)
        for r in requests(site.control_plane.state.audit_log)
        if r.credential == standby.credential and (r.verb, r.resource, r.code) != refused
    }
    assert requested == {("get", "leases")}

    standby.part.wait_logged(f"stands by: {leader.name}_")
    os.kill(standby.part.pid, signal.SIGTERM)
    assert standby.part.wait_exit() == 0
    assert operators.leader() is leader
    assert leader.leader_metric == 1


def test_a_clean_exit_hands_over(site: System, operators: Operators) -> None:
    leader = operators.start_leader("first")
    standby = operators.start("second")
    job = site.submit(make_job(parameters=lasting(8)))
    job.wait_percentage(20)
    lease = operators.lease()
    os.kill(leader.part.pid, signal.SIGTERM)
    assert operators.wait_leader(other_than=leader) is standby
    assert time_of(operators.lease(), "acquireTime") < runs_out(lease), "it was released, and did not have to run out"
    assert leader.part.wait_exit() == 0
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_a_killed_leader_is_replaced(site: System, operators: Operators) -> None:
    leader = operators.start_leader("first")
    standby = operators.start("second")
    job = site.submit(make_job(parameters=lasting(8)))
    job.wait_percentage(20)
    leader.part.kill()
    lease = operators.lease()
    assert operators.wait_leader(other_than=leader) is standby
    assert time_of(operators.lease(), "acquireTime") >= runs_out(lease), "until then the leader might have lived"
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def test_a_leader_that_was_paused_writes_nothing_when_it_goes_on(site: System, operators: Operators) -> None:
    with proxy_to(site.settings.redis_port) as redis:
        paused = operators.start_leader("paused", redis_port=redis.port)
        running = site.submit(make_job("running", parameters=lasting(20)))
        running.wait_percentage(10)
        standby = operators.start("standby")
        paused.pause()
        assert operators.wait_leader(other_than=paused) is standby
        cancelled = site.submit(make_job("cancelled", parameters=lasting(60)))  # of which it hears when it goes on
        running.wait_phase(Phase.SUCCEEDED)
        said, written, lease = redis.said(), operators.writes_of(paused), operators.lease()

        paused.go_on()
        assert paused.part.wait_exit() == LOST_LEASE
        assert redis.said_at_last() == said, "not a byte has left for Redis"
        assert operators.writes_of(paused) == written, "nothing was asked of the API server, not even its lease"
        assert operators.lease()["holderIdentity"] == lease["holderIdentity"]
    assert cancelled.patch(cancellation="Requested").returncode == 0
    assert cancelled.patch(cancellation="Confirmed").returncode == 0
    cancelled.wait_phase(Phase.CANCELLED)
    assert operators.leader() is standby


def test_a_leader_that_is_cut_off_ends_before_another_takes_over(site: System, operators: Operators) -> None:
    with proxy_to(site.control_plane.settings.api_server_port) as api, proxy_to(site.settings.redis_port) as redis:
        lonely = operators.start_leader("lonely", api_port=api.port, redis_port=redis.port)
        standby = operators.start("standby")
        job = site.submit(make_job(parameters=lasting(30)))
        job.wait_percentage(5)
        api.cut()
        assert lonely.part.wait_exit() == LOST_LEASE
        ended_at, said = datetime.now(UTC), redis.said_at_last()
        assert operators.wait_leader(other_than=lonely) is standby
        assert ended_at < time_of(operators.lease(), "acquireTime")
        assert redis.said() == said
    assert job.wait_phase(Phase.SUCCEEDED).execution_attempts == 1


def somebody_takes_it(operators: Operators) -> None:
    operators.edit_lease(holderIdentity="somebody", leaseDurationSeconds=5)


def somebody_empties_it(operators: Operators) -> None:
    operators.edit_lease(holderIdentity=None)


def test_a_leader_ends_whose_lease_is_taken_or_emptied(site: System, operators: Operators) -> None:
    leader = operators.start_leader("first")
    for number, loss in enumerate([somebody_takes_it, somebody_empties_it]):
        loss(operators)
        assert leader.part.wait_exit() == LOST_LEASE
        leader.part.wait_logged("writes nothing more and ends")
        follower = operators.start(f"follower-{number}", wait=False)
        assert operators.wait_leader() is follower
        run_a_job(site, f"chair-{number}")
        leader = follower


def somebody_changes_it(operators: Operators) -> None:
    operators.edit_lease(acquireTime="2020-01-01T00:00:00.000000Z")


def somebody_deletes_it(operators: Operators) -> None:
    operators.delete_lease()


def test_a_leader_goes_on_whose_lease_is_changed_or_deleted(site: System, operators: Operators) -> None:
    leader = operators.start_leader("first")
    for change in (somebody_changes_it, somebody_deletes_it):
        change(operators)
        wait_renewed(operators)
        assert operators.leader() is leader
    run_a_job(site, "chair")


def test_an_operator_that_may_not_touch_leases_says_so_and_does_nothing(site: System, operators: Operators) -> None:
    helpless = operators.start("first", extra_env={"LEASE_NAME": "another-name"})
    job = site.submit(make_job())
    helpless.part.wait_logged("cannot be read or taken: 403")
    assert not operators.writes_of(helpless)
    assert job.status().phase is Phase.PENDING
