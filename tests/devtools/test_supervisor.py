"""The supervisor starts components in order, undoes a failed start, and heals what dies."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_dev.errors import DevError
from recon_dev.processes import Component
from recon_dev.state import StateDir
from recon_dev.status import ClusterStatus, ComponentState, SupervisorLock
from recon_dev.supervisor import LONGEST_BACKOFF_S, STEADY_AFTER_S, Backoff, Supervisor

pytestmark = pytest.mark.slow


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    """An empty state folder."""
    state = StateDir(tmp_path / "dev")
    state.make()
    return state


def component(
    name: str, *, ready: Callable[[], bool] = lambda: True, program: str = "time.sleep(60)", awaited: bool = True
) -> Component:
    """A component that runs a line of Python."""
    command = [sys.executable, "-c", f"import time; {program}"]
    return Component(name=name, command=command, ready=ready, env=dict(os.environ), stop_within_s=5.0, awaited=awaited)


def nothing() -> None:
    """Check nothing."""


def test_components_are_started_in_order_and_stopped_in_reverse(state: StateDir) -> None:
    lines: list[str] = []
    supervisor = Supervisor([component("first"), component("second")], state, lines.append)
    supervisor.up(nothing)
    assert ClusterStatus.load(state).ready
    supervisor.down()
    assert [line.split()[:2] for line in lines] == [
        ["first", "ready"],
        ["second", "ready"],
        ["stopping", "second"],
        ["stopping", "first"],
    ]
    assert ClusterStatus.load(state).components == ()


@pytest.mark.parametrize(
    ("program", "then"),
    [
        pytest.param("time.sleep(60)", ComponentState.READY, id="comes when it is ready"),
        pytest.param("raise SystemExit(1)", ComponentState.BACKING_OFF, id="that ends is started again later"),
    ],
)
def test_what_is_not_awaited_holds_nobody_up(state: StateDir, program: str, then: ComponentState) -> None:
    """It stands before what is awaited, so that it starts at the same time."""
    up = threading.Event()
    late = component("late", ready=up.is_set, program=program, awaited=False)
    supervisor = Supervisor([late, component("awaited")], state, lambda _: None)
    supervisor.up(nothing)
    assert ClusterStatus.load(state).components[1].state is ComponentState.READY
    up.set()
    deadline = time.monotonic() + 30
    supervisor.watch(lambda: ClusterStatus.load(state).components[0].state is then or time.monotonic() > deadline)
    reached = ClusterStatus.load(state).components[0].state
    supervisor.down()
    assert reached is then


def test_a_failed_start_is_undone(state: StateDir) -> None:
    lines: list[str] = []
    broken = component("second", ready=lambda: False, program="raise SystemExit(1)")
    with pytest.raises(DevError, match="second ended with exit code 1"):
        Supervisor([component("first"), broken], state, lines.append).up(nothing)
    assert "stopping first" in lines
    assert list(state.run.glob("*.json")) == []


def test_a_component_that_dies_is_started_again(state: StateDir) -> None:
    supervisor = Supervisor([component("worker-0")], state, lambda _: None)
    supervisor.up(nothing)
    before = ClusterStatus.load(state).components[0]
    assert before.pid
    os.kill(before.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30

    def healed() -> bool:
        now = ClusterStatus.load(state).components[0]
        return (now.restarts == 1 and now.state is ComponentState.READY) or time.monotonic() > deadline

    supervisor.watch(healed)
    after = ClusterStatus.load(state).components[0]
    supervisor.down()
    assert after.restarts == 1
    assert after.pid != before.pid


@pytest.mark.parametrize(
    ("runs_s", "delay_s"),
    [
        pytest.param([], 0.5, id="the first time at once, nearly"),
        pytest.param([1.0], 1.0, id="then twice as long"),
        pytest.param([1.0] * 3, 4.0, id="and again"),
        pytest.param([1.0] * 100, LONGEST_BACKOFF_S, id="but never too long"),
        pytest.param([1.0] * 5 + [STEADY_AFTER_S], 0.5, id="a long run is forgiven"),
    ],
)
def test_backoff(runs_s: list[float], delay_s: float) -> None:
    backoff = Backoff()
    for seconds in runs_s:
        backoff = backoff.after_run_of(seconds)
    assert backoff.delay_s == delay_s


def test_a_state_folder_has_one_supervisor(state: StateDir) -> None:
    first, second = SupervisorLock(state), SupervisorLock(state)
    first.acquire()
    holder = second.holder()
    assert holder is not None
    assert holder.pid == os.getpid()
    with pytest.raises(DevError, match="just started"):
        second.acquire()
    first.release()
    assert not second.held()
