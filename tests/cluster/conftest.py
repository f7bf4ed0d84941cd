"""Fixtures of the tests on a real API server, etcd, Redis, operator and workers."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.control_plane import ControlPlane, shared_control_plane
from tests.support.system import System

HERE = Path(__file__).parent

OF_A_MODULE = {"shared_system", "state", "observed"}
"""Fixtures that a module's tests share; such tests stay in one process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests on servers as slow; keep those that share a running system in one process (`--dist=loadgroup`)."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
        if isinstance(item, pytest.Function) and OF_A_MODULE & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """The API server and etcd that all tests of this run share; keep to a namespace of your own."""
    base = tmp_path_factory.getbasetemp()
    return shared_control_plane(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


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
    """Redis, operator and worker of the test's own, running: a test may break them."""
    return idle_system.start()


@pytest.fixture(scope="module")
def shared_system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Redis, operator and worker of the module's tests, which leave them as they are."""
    with ExitStack() as stack:
        system = System(control_plane, tmp_path_factory.mktemp("system"))
        stack.callback(system.stop)
        yield system.start()
        assert system.refusals() == []
