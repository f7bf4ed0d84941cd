"""Fixtures of the tests on a real API server, etcd, Redis, operator and workers."""

import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recon_api.status import Phase
from recon_dev.state import StateDir
from tests.support.control_plane import ControlPlane, shared_control_plane, start_control_plane
from tests.support.jobs import make_job
from tests.support.system import System

HERE = Path(__file__).parent

OF_A_MODULE = {"shared_system", "breakable_system", "state", "observed"}
"""Fixtures that a module's tests share; such tests stay in one process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests on servers as slow; keep those that share a running system in one process (`--dist=loadgroup`)."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
        if isinstance(item, pytest.Function) and OF_A_MODULE & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a test that fails how the logs of its system end."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        values = [getattr(value, "system", value) for value in item.funcargs.values()]
        for system in {id(value): value for value in values if isinstance(value, System)}.values():
            report.sections += [(f"end of the log of {name}", end) for name, end in system.log_ends().items()]
    return report


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """The API server and etcd that all tests of this run share; keep to a namespace of your own."""
    base = tmp_path_factory.getbasetemp()
    return shared_control_plane(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="module")
def own_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of the module's own: its tests change what all of a cluster's users share."""
    with ExitStack() as stack:
        control_plane = start_control_plane(StateDir(tmp_path_factory.mktemp("control-plane")))
        stack.callback(control_plane.stop)
        yield control_plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own."""
    return control_plane.make_namespace()


@pytest.fixture
def idle_system(control_plane: ControlPlane, tmp_path: Path) -> Iterator[System]:
    """Redis, operator and worker of the test's own, none of them started."""
    with ExitStack() as stack:
        system = System(control_plane, tmp_path / "system")
        stack.callback(system.stop)
        yield system
        assert system.refusals() == []  # each program's user may all that the program needs


@pytest.fixture
def system(idle_system: System) -> System:
    """Redis, operator and worker of the test's own, running: a test may break them for good."""
    return idle_system.start()


@pytest.fixture(scope="module")
def shared_system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Redis, operator and worker of the module's tests, which leave them as they are."""
    with ExitStack() as stack:
        system = System(control_plane, tmp_path_factory.mktemp("system"))
        stack.callback(system.stop)
        yield system.start()
        assert system.refusals() == []


@pytest.fixture
def breakable_system(shared_system: System) -> Iterator[System]:
    """The module's running system, of which a test may stop and kill parts that run again at its end.

    Jobs' names must be the only ones in the module. Jobs that the test leaves unfinished are deleted.
    """
    before = shared_system.jobs().keys()
    assert shared_system.refusals() == []  # a Redis that ends forgets them
    yield shared_system
    lacking = shared_system.mend()
    for uid, job in shared_system.jobs().items():
        if uid not in before and not job.status().phase.finished:
            job.delete()
            job.wait_gone()
    shared_system.submit(make_job(f"check-{uuid.uuid4().hex[:8]}")).wait_phase(Phase.SUCCEEDED)
    assert shared_system.refusals() == []
    assert lacking == [], "the test left parts of the system stopped"
