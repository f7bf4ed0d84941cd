"""An operator of several namespaces, one of which it may not read: that one waits, and the others do not."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus

import pytest
from kubernetes import client

from recon_api.resource import GROUP, PLURAL
from recon_api.status import Phase
from recon_dev.service_account import NAME, NAMESPACE
from tests.support.audit import requests
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, Manifest, make_job
from tests.support.system import Part, System
from tests.support.waiting import wait_for

JOBS = f"{PLURAL}.{GROUP}"
LISTER = "lister"

pytestmark = pytest.mark.xdist_group("missing_namespaces")  # they share a cluster of their own


@pytest.fixture(scope="module")
def system(own_control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Redis and a worker that run; the operator's account has no rights but for its lease."""
    with ExitStack() as stack:
        system = System(own_control_plane, tmp_path_factory.mktemp("system"))
        stack.callback(system.stop)
        system.redis.start()
        system.worker.start()
        system.operator.component.prepare()  # makes the account, and the role that is bound in single namespaces here
        client.RbacAuthorizationV1Api(own_control_plane.api).delete_cluster_role_binding(NAME)
        yield system


class Namespaces:
    """A namespace that the operator may read, and one that it may not, yet."""

    def __init__(self, system: System) -> None:
        """Make both."""
        self._system, self._cluster = system, system.control_plane
        self.good, self.bad = self._cluster.make_namespace(), self._cluster.make_namespace()
        self.operator = self.operator_with()
        self.grant(self.good)

    def operator_with(self, **settings: str) -> Part:
        """Return the operator of both, with these settings; it leaves the roles as the test has made them."""
        watched = {"NAMESPACES": f"{self.good},{self.bad}", "LEASE_NAMESPACE": self.good}
        part = self._system.operator_with(watched | settings)
        part.component = replace(part.component, prepare=lambda: None)
        return part

    @property
    def core(self) -> client.CoreV1Api:
        """The API of namespaces."""
        return client.CoreV1Api(self._cluster.api)

    def grant(self, namespace: str) -> None:
        """Bind the operator's role in a namespace."""
        self._cluster.run_kubectl(
            "create",
            "rolebinding",
            NAME,
            f"--namespace={namespace}",
            f"--clusterrole={NAME}",
            f"--serviceaccount={NAMESPACE}:{NAME}",
        )

    def revoke(self, namespace: str) -> None:
        """Take the right away again."""
        client.RbacAuthorizationV1Api(self._cluster.api).delete_namespaced_role_binding(NAME, namespace)

    def let_list(self, namespace: str) -> None:
        """Give the right to list jobs of a namespace, and no other one."""
        self._cluster.run_kubectl(
            "create", "role", LISTER, f"--namespace={namespace}", "--verb=list", f"--resource={JOBS}"
        )
        self._cluster.run_kubectl(
            "create",
            "rolebinding",
            LISTER,
            f"--namespace={namespace}",
            f"--role={LISTER}",
            f"--serviceaccount={NAMESPACE}:{NAME}",
        )

    def refused_watches(self, namespace: str) -> int:
        """Return how many watches of the namespace's jobs the API server has refused."""
        of_jobs = (
            r for r in requests(self._cluster.state.audit_log) if (r.namespace, r.resource) == (namespace, PLURAL)
        )
        return sum(r.verb == "watch" and r.code == HTTPStatus.FORBIDDEN for r in of_jobs)

    def submit(self, namespace: str, name: str) -> Job:
        """Create a job that is done at once."""
        manifest: Manifest = make_job(name)
        self._cluster.run_kubectl.apply(manifest | {"metadata": {"name": name, "namespace": namespace}})
        return Job(self._cluster, namespace, name)

    def answer(self, path: str) -> str:
        """Return what the operator answers; raise where that is not 200."""
        url = f"http://127.0.0.1:{self._system.settings.operator_port}{path}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode())

    def wait_missing(self, namespace: str, *, missing: bool = True) -> None:
        """Wait until the operator tells Prometheus that a namespace is missing, or that it is not."""
        line = f'reconstruction_namespace_missing{{namespace="{namespace}"}} {float(missing)}'
        wait_for(line, lambda: line in self.answer("/metrics").splitlines())

    def events(self) -> list[str]:
        """Return the notes of the events about missing namespaces."""
        found = self._cluster.run_kubectl(
            "get", "events", "-n", self.good, "-o", "json", "--field-selector=reason=NamespaceMissing"
        )
        return [item["message"] for item in json.loads(found)["items"]]


@pytest.fixture
def namespaces(system: System) -> Iterator[Namespaces]:
    """Two namespaces, and the operator of both, which is not started."""
    namespaces = Namespaces(system)
    yield namespaces
    namespaces.operator.stop()


def test_a_right_that_is_missing_from_the_start_holds_up_no_other_namespace(namespaces: Namespaces) -> None:
    good, bad = namespaces.submit(namespaces.good, "job"), namespaces.submit(namespaces.bad, "job")
    namespaces.operator.start()
    good.wait_phase(Phase.SUCCEEDED)
    namespaces.wait_missing(namespaces.bad)
    namespaces.wait_missing(namespaces.good, missing=False)
    wait_for("an event beside the lease", namespaces.events)
    assert namespaces.bad in namespaces.events()[0]
    assert bad.status().phase is Phase.PENDING

    namespaces.grant(namespaces.bad)
    bad.wait_phase(Phase.SUCCEEDED)
    namespaces.wait_missing(namespaces.bad, missing=False)
    assert len(namespaces.events()) == 1
    namespaces.submit(namespaces.bad, "watched").wait_phase(Phase.SUCCEEDED)


def test_a_right_that_is_taken_away_is_missed_by_that_namespace_alone(namespaces: Namespaces) -> None:
    namespaces.grant(namespaces.bad)
    namespaces.operator = namespaces.operator_with(RELIST_INTERVAL_S="1")
    namespaces.operator.start()
    for namespace in (namespaces.good, namespaces.bad):
        namespaces.submit(namespace, "before").wait_phase(Phase.SUCCEEDED)
    namespaces.revoke(namespaces.bad)
    namespaces.wait_missing(namespaces.bad)
    waits = namespaces.submit(namespaces.bad, "waits")
    namespaces.submit(namespaces.good, "after").wait_phase(Phase.SUCCEEDED)
    assert (namespaces.answer("/healthz"), namespaces.answer("/readyz")) == ("ok\n", "ok\n")
    assert waits.status().phase is Phase.PENDING

    namespaces.grant(namespaces.bad)
    waits.wait_phase(Phase.SUCCEEDED)


def test_a_right_to_list_alone_brings_no_namespace_back(namespaces: Namespaces) -> None:
    namespaces.operator.start()
    namespaces.wait_missing(namespaces.bad)
    noted = wait_for("an event beside the lease", namespaces.events)
    waits = namespaces.submit(namespaces.bad, "listed")
    namespaces.let_list(namespaces.bad)
    before = namespaces.refused_watches(namespaces.bad)
    wait_for("it is tried a few times", lambda: namespaces.refused_watches(namespaces.bad) >= before + 3)
    assert (namespaces.events(), waits.status().phase) == (noted, Phase.PENDING)

    namespaces.grant(namespaces.bad)
    waits.wait_phase(Phase.SUCCEEDED)


def test_a_namespace_that_is_deleted_and_made_again_is_taken_up(namespaces: Namespaces) -> None:
    namespaces.grant(namespaces.bad)
    namespaces.operator = namespaces.operator_with(RELIST_INTERVAL_S="1")
    namespaces.operator.start()
    namespaces.submit(namespaces.bad, "before").wait_phase(Phase.SUCCEEDED)
    core = namespaces.core
    core.delete_namespace(namespaces.bad)
    namespaces.wait_missing(namespaces.bad)
    wait_for("it is gone", lambda: not core.list_namespace(field_selector=f"metadata.name={namespaces.bad}").items)

    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=namespaces.bad)))
    namespaces.grant(namespaces.bad)
    namespaces.submit(namespaces.bad, "again").wait_phase(Phase.SUCCEEDED)


def test_where_no_namespace_can_be_read_the_operator_waits(namespaces: Namespaces) -> None:
    namespaces.revoke(namespaces.good)
    part = namespaces.operator.start(wait=False)
    part.wait_logged("waiting for the API server")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        namespaces.answer("/readyz")
    namespaces.grant(namespaces.good)
    part.wait_ready()
    namespaces.submit(namespaces.good, "job").wait_phase(Phase.SUCCEEDED)
