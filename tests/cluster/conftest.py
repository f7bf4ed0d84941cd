"""Fixtures of the tests on a real API server, etcd, Redis, operator and workers."""

import os

import pytest

from tests.support.control_plane import ControlPlane, shared_control_plane


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """The API server and etcd that all tests of this run share; keep to a namespace of your own."""
    base = tmp_path_factory.getbasetemp()
    return shared_control_plane(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """A namespace of the test's own."""
    return control_plane.make_namespace()
