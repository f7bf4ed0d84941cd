"""Fixtures of the tests on a real cluster: the one that KUBECONFIG names, with the images that RECON_E2E_… name."""

import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.e2e.cluster import RealCluster, given_cluster
from tests.support.e2e.diagnosis import diagnosis
from tests.support.e2e.installation import Installation, Values, merged
from tests.support.e2e.tenants import Tenant
from tests.support.e2e.volumes import storage_class

HERE = Path(__file__).parent
CLUSTER = pytest.StashKey[RealCluster]()

Install = Callable[..., Installation]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests out of those that need no server."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in the report of a failed test what the cluster shows then."""
    report = yield
    cluster = item.config.stash.get(CLUSTER, None)
    if report.failed and cluster and report.when != "teardown":
        report.sections.extend(diagnosis(cluster))
    return report


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[RealCluster]:
    """The cluster, cleaned of what earlier runs left. One run at a time uses it."""
    found = given_cluster(tmp_path_factory.mktemp("cluster"))
    if found is None:
        pytest.skip("needs a cluster: KUBECONFIG names none")
    server = hashlib.sha256(found.run_kubectl("cluster-info").encode()).hexdigest()[:12]
    with (Path(tempfile.gettempdir()) / f"recon-e2e-{server}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found.clean()
        pytestconfig.stash[CLUSTER] = found
        yield found
        found.clean()


@pytest.fixture(scope="session")
def storage_values(cluster: RealCluster) -> dict[str, Any]:
    """The chart's values for volumes that this cluster can make."""
    name = storage_class(cluster)
    persistence = {"storageClassName": name}
    return {"storage": {"claim": persistence}, "redis": {"builtIn": {"persistence": persistence}}}


@pytest.fixture(scope="session")
def tenant_names(cluster: RealCluster) -> tuple[str, str]:
    """Two namespaces whose jobs the shared installation looks after."""
    return cluster.make_namespace("red"), cluster.make_namespace("blue")


@pytest.fixture(scope="session")
def installation(cluster: RealCluster, storage_values: dict[str, Any], tenant_names: tuple[str, str]) -> Installation:
    """The installation that most tests share; whoever stops a part of it waits until it is back."""
    values = merged(storage_values, {"watchNamespaces": list(tenant_names)})
    made = Installation(cluster, cluster.make_namespace("shared"), values)
    made.install("--take-ownership")
    return made


@pytest.fixture
def tenants(installation: Installation, tenant_names: tuple[str, str]) -> Iterator[tuple[Tenant, Tenant]]:
    """The two tenants of the shared installation, without jobs before and after the test."""
    red, blue = (Tenant(installation, name) for name in tenant_names)
    yield red, blue
    for each in (red, blue):
        each.delete_jobs()


@pytest.fixture
def tenant(tenants: tuple[Tenant, Tenant]) -> Tenant:
    """One of them."""
    return tenants[0]


@pytest.fixture
def install(cluster: RealCluster, storage_values: dict[str, Any]) -> Iterator[Install]:
    """Make an installation of the test's own, which it may break; jobs in its own namespace are looked after."""
    with ExitStack() as stack:

        def make(values: Values, *, wait: bool = True) -> Installation:
            namespace = cluster.make_namespace("own")
            own = {"watchNamespaces": [namespace], "crds": {"install": False}}
            made = Installation(cluster, namespace, merged(storage_values, own, values))
            stack.callback(made.remove)
            (made.install if wait else made.helm)()
            return made

        yield make
