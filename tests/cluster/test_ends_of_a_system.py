"""Whatever a system's parts cannot reach, each ends by itself when it is asked to, and the jobs go on afterwards."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from recon_api.status import Phase
from recon_runtime.last_exit import UNFINISHED_EXIT_CODE
from tests.support.control_plane import ControlPlane
from tests.support.jobs import lasting, make_job
from tests.support.system import Part, System

pytestmark = pytest.mark.xdist_group("own_control_plane")  # which they freeze

GRACE_S = 30
"""How long the kubelet waits before it kills: what the chart gives the operator, and more than the workers here may take."""

ENDS = {0, UNFINISHED_EXIT_CODE}
QUICK_TO_END = {"STOP_GRACE_S": "2", "URL_ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}


@pytest.fixture(scope="module")
def running(own_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system of which each test runs what it has ended again."""
    with ExitStack() as stack:
        system = System(own_control_plane, tmp_path_factory.mktemp("system"), worker_env=QUICK_TO_END)
        stack.callback(system.stop)
        yield system.start()


@pytest.fixture
def awake() -> Iterator[ExitStack]:
    """Has what was frozen go on at the end of the test, or before."""
    with ExitStack() as stack:
        yield stack


def freeze(awake: ExitStack, pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    awake.callback(os.kill, pid, signal.SIGCONT)


def asked_to_end(part: Part) -> int:
    """Ask a part to end as the kubelet does, wait until it has in its grace time, and return its exit code."""
    os.kill(part.pid, signal.SIGTERM)
    return part.wait_exit(GRACE_S)


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        pytest.param("all-well", lambda _: [], id="everything is reached"),
        pytest.param("redis", lambda s: [s.redis.pid], id="Redis does not answer"),
        pytest.param("api", lambda s: [s.control_plane.pid("kube-apiserver")], id="the API server does not answer"),
        pytest.param(
            "both",
            lambda s: [s.redis.pid, s.control_plane.pid("kube-apiserver")],
            id="neither of the two answers",
        ),
    ],
)
def test_an_operator_ends_while(
    running: System, awake: ExitStack, name: str, frozen: Callable[[System], list[int]]
) -> None:
    job = running.submit(make_job(name, parameters=lasting(3)))
    job.wait_phase(Phase.RUNNING)
    for pid in frozen(running):
        freeze(awake, pid)
    assert asked_to_end(running.operator) in (ENDS if frozen(running) else {0})
    awake.close()
    running.operator.start()
    job.wait_phase(Phase.SUCCEEDED)


@pytest.mark.parametrize(
    ("name", "frozen"),
    [
        pytest.param("redis", lambda s: s.redis.pid, id="Redis"),
        pytest.param("api", lambda s: s.control_plane.pid("kube-apiserver"), id="the API server"),
    ],
)
def test_an_operator_that_has_never_reached_it_ends(
    running: System, awake: ExitStack, name: str, frozen: Callable[[System], int]
) -> None:
    running.operator.stop()
    before = running.operator.log_length()
    freeze(awake, frozen(running))
    prepared = replace(running.operator.component, prepare=lambda: None)  # it has its rights, and asks for none again
    operator = Part(prepared, running.state).start(wait=False)
    operator.wait_logged("the operator starts", after=before)
    assert asked_to_end(operator) in ENDS
    awake.close()
    running.operator.start()
    running.submit(make_job(f"after-{name}")).wait_phase(Phase.SUCCEEDED)


def test_a_worker_ends_that_has_never_reached_redis(running: System) -> None:
    running.worker.stop()
    running.redis.stop()
    before = running.worker.log_length()
    running.worker.start(wait=False)
    running.worker.wait_logged("cannot connect to redis", after=before)
    assert asked_to_end(running.worker) in ENDS
    running.redis.start()
    running.worker.start()
    running.submit(make_job("redis-came")).wait_phase(Phase.SUCCEEDED)


def test_a_worker_ends_while_a_server_of_photos_hangs(running: System) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/photos.zip"
        job = running.submit(make_job("hangs", input={"url": url}, model="multiview", parameters={}))
        connection, _ = silent.accept()  # the worker waits for its answer from now on
        with connection:
            assert asked_to_end(running.worker) in ENDS
    job.delete()
    running.worker.start()
    job.wait_gone()
    running.submit(make_job("after-the-server")).wait_phase(Phase.SUCCEEDED)
