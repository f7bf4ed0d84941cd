"""Attempts that die: stuck and killed, or killed at a chosen point of publishing; the worker goes on, and the next attempt."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from recon_api.keys import attempt_key
from recon_api.payload import Outcome
from recon_api.steps import Step
from tests.support.crash_points import CrashPoint
from tests.support.waiting import wait_for
from tests.support.worker_site import Sent, Site, running_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A Redis of the test's own, no worker yet."""
    with running_site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis and one worker that the tests leave as they are."""
    with running_site(tmp_path_factory.mktemp("shared")) as made:
        made.start_worker()
        yield made


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same, with a worker that gives an attempt little time to stop, and to go on without being asked for."""
    with running_site(tmp_path_factory.mktemp("impatient")) as made:
        made.start_worker(STOP_GRACE_S="1", SELF_STOP_S="2")
        yield made


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, CrashPoint]]:
    """A Redis and one worker, which die where a test says; it leaves a worker behind."""
    point = CrashPoint(tmp_path_factory.mktemp("point"))
    with running_site(tmp_path_factory.mktemp("mortal")) as made:
        made.start_worker(**point.environment)
        yield made, point


# --- stuck, and killed -------------------------------------------------------------------------------------------


def stuck(site: Site, how: Any) -> Sent:
    """Return an attempt that does not stop by itself; in native code not even its lease is renewed."""
    job = site.submit(hang=how)
    if how == "native":
        wait_for("the attempt holds Python's lock", lambda: list(job.work.glob("steps/.*points*")) and not job.leased)
    else:
        job.wait_step(Step.RECONSTRUCTION)
    return job


@pytest.mark.xdist_group("hard_kills_shared")
@pytest.mark.parametrize("how", [pytest.param(True, id="in Python"), pytest.param("native", id="in native code")])
@pytest.mark.parametrize(
    ("order", "outcome", "reason", "steps_stay"),
    [
        pytest.param(Sent.cancel, Outcome.CANCELLED, "Cancelled", False, id="cancelled"),
        pytest.param(Sent.hold, Outcome.FAILED, "Suspended", True, id="held"),
        pytest.param(lambda _: None, Outcome.FAILED, "WorkerCrashed", True, id="killed by somebody"),
    ],
)
def test_a_stuck_attempt_is_killed_and_the_worker_takes_the_next_job(
    shared: Site, how: Any, order: Callable[[Sent], None], outcome: Outcome, reason: str, steps_stay: bool
) -> None:
    before = shared.workers[0].children()
    job = stuck(shared, how)
    order(job)
    shared.kill_attempt(job)
    result = job.wait_stopped()
    assert (result.outcome, result.reason, result.worker) == (outcome, reason, "worker-0")
    assert result.started_at
    assert list(job.work.glob("**/*.tmp")) == []
    assert job.work.exists() == steps_stay
    assert shared.submit(noop=True).wait_result().outcome is Outcome.COMPLETED
    after = shared.workers[0].children()
    assert len(after) == len(before)


@pytest.mark.xdist_group("hard_kills_impatient")
@pytest.mark.parametrize("how", [pytest.param(True, id="in Python"), pytest.param("native", id="in native code")])
@pytest.mark.parametrize("why", ["a later one took over", "nobody asks for it"])
def test_a_stuck_attempt_that_may_not_run_does_not_keep_its_worker(impatient: Site, how: Any, why: str) -> None:
    job = stuck(impatient, how)
    if why == "a later one took over":
        later = impatient.submit(2, uid=job.uid, noop=True)
        assert later.wait_result().outcome is Outcome.COMPLETED
        assert job.wait_stopped().reason == "Superseded"
    else:
        impatient.redis.delete(attempt_key(job.uid))
        assert impatient.submit(noop=True).wait_result().outcome is Outcome.COMPLETED
        assert job.wait_stopped().outcome is Outcome.FAILED


@pytest.mark.xdist_group("hard_kills_impatient")
@pytest.mark.parametrize("at", ["in a step", "before it is published"])
def test_an_attempt_that_nobody_asks_for_any_more_stops_by_itself(impatient: Site, at: str) -> None:
    job = impatient.submit(seconds=600 if at == "in a step" else 2)
    job.wait_lease()
    impatient.redis.delete(attempt_key(job.uid))
    result = job.wait_stopped()
    assert (result.reason, result.message[:31]) == ("Superseded", "nobody has asked for the attemp")
    assert not job.work.exists(), "its job is over"
    assert not job.outputs.exists()


def test_a_stuck_attempt_dies_with_its_worker_that_shuts_down(site: Site) -> None:
    worker = site.start_worker(STOP_GRACE_S="1")
    job = stuck(site, "native")
    processes = worker.children()
    worker.process.terminate()
    worker.process.wait(60)
    assert job.wait_stopped().reason == "WorkerStopped"
    assert psutil.wait_procs(processes, timeout=60)[1] == []


# --- killed while it publishes -----------------------------------------------------------------------------------

POINTS = [
    pytest.param("os.rename attempt-1.tmp attempt-1", id="before it is sealed"),
    pytest.param("os.rename job-", id="after it is sealed"),
    pytest.param("os.rename attempt-1 job-", id="between the two renames"),
    pytest.param("os.rename {uid} .removed-", id="after the renames, before the record"),
]
"""The change of a file before which the process dies."""


@pytest.mark.xdist_group("hard_kills_mortal")
@pytest.mark.parametrize("dies", ["the attempt's process", "the whole worker"])
@pytest.mark.parametrize("point", POINTS)
def test_a_death_while_publishing_leaves_what_the_next_attempt_ends(
    mortal: tuple[Site, CrashPoint], point: str, dies: str
) -> None:
    site, crash = mortal
    uid = str(uuid.uuid4())
    before = uid[:8] + str(uuid.uuid4())[8:]  # a job that has published in the same place
    earlier = site.submit(uid=before).wait_result()
    published = set((site.storage / "outputs" / "shop").iterdir())
    crash.set(point.format(uid=uid), with_parent=dies == "the whole worker")
    job = site.submit(uid=uid)
    if dies == "the whole worker":
        site.workers[-1].process.wait(60)
        wait_for("the lease lapses", lambda: not job.leased)
        site.start_worker(**crash.environment)
    else:
        result = job.wait_stopped()
        if point.startswith("os.rename {uid}"):
            assert (result.outcome, len(result.outputs), len(result.steps)) == (Outcome.COMPLETED, 4, 4)
        else:
            assert (result.outcome, result.reason) == (Outcome.FAILED, "WorkerCrashed")
    assert crash.reached
    last = site.submit(2, uid=uid)
    result = last.wait_stopped()
    assert result.outcome is Outcome.COMPLETED
    hashes = [{o.name: o.sha256 for o in r.outputs if o.name != "report.json"} for r in (earlier, result)]
    assert hashes[0] == hashes[1]
    assert job.outputs in published
    assert set(job.outputs.parent.iterdir()) == published
    assert list((site.storage / "work").iterdir()) == []
