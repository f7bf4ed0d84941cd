"""Whatever does not answer, a process that is asked to end does so by itself, and the job goes on."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from recon_api.payload import Outcome
from recon_api.steps import Step
from recon_runtime.last_exit import UNFINISHED_EXIT_CODE
from tests.support.waiting import wait_for
from tests.support.worker_site import Site, Worker, running_site

GRACE_S = 30
"""Longer than a worker with these settings may take: 2 s for its attempt and 10 s for the end of it."""

ENDS = {0, UNFINISHED_EXIT_CODE}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A Redis of the test's own, which is awake again at the end."""
    with running_site(tmp_path) as made:
        try:
            yield made
        finally:
            send(server_of(made), signal.SIGCONT)


def server_of(site: Site) -> psutil.Process:
    """Return the process that listens on the site's port."""
    found = (
        each for each in psutil.process_iter(["cmdline"]) if str(site.port) in " ".join(each.info["cmdline"] or [])
    )
    return next(each for each in found if "valkey" in each.name())


def send(process: psutil.Process, number: signal.Signals) -> None:
    os.kill(process.pid, number)


def frozen(site: Site) -> None:
    send(server_of(site), signal.SIGSTOP)


def wait_exit(worker: Worker) -> int:
    """Wait until the worker ends in its grace time, and what it started with it; return its exit code."""
    children = worker.children()
    wait_for("the worker ends", lambda: worker.process.poll() is not None, within_s=GRACE_S)
    wait_for("its children end", lambda: not any(child.is_running() for child in children))
    return int(worker.process.returncode)


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"seconds": 600}, id="a step that looks"),
        pytest.param({"hang": True}, id="a step that hangs in Python"),
        pytest.param({"hang": "native"}, id="a step that hangs in native code"),
    ],
)
@pytest.mark.parametrize("unreachable", [pytest.param(lambda _: None, id="nothing"), pytest.param(frozen, id="Redis")])
def test_a_worker_with_a_job_ends(site: Site, parameters: dict[str, Any], unreachable: Callable[[Site], None]) -> None:
    worker = site.start_worker(STOP_GRACE_S="2")
    job = site.submit(**parameters)
    if parameters.get("hang") == "native":
        wait_for("the attempt is in native code", lambda: list(job.work.glob("steps/.*points*")) and not job.leased)
    elif "hang" in parameters:
        job.wait_step(Step.RECONSTRUCTION)
    else:
        job.wait_lease()
    unreachable(site)
    worker.process.send_signal(signal.SIGTERM)
    in_order = unreachable is not frozen and "seconds" in parameters
    assert wait_exit(worker) in ({0} if in_order else ENDS)
    send(server_of(site), signal.SIGCONT)
    site.start_worker()
    assert site.submit(2, uid=job.uid, noop=True).wait_result().outcome is Outcome.COMPLETED


def test_a_worker_without_a_job_ends_while_redis_is_frozen(site: Site) -> None:
    worker = site.start_worker(STOP_GRACE_S="2")
    frozen(site)
    worker.process.send_signal(signal.SIGTERM)
    assert wait_exit(worker) in ENDS
