"""Several operators that look after the same namespace, of which one leads."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from recon_dev.operator_process import operator
from recon_dev.redis_users import OPERATOR
from recon_dev.service_account import NAME
from recon_dev.valkey import redis_url
from tests.support.audit import Request, credential_of, requests
from tests.support.control_plane import ControlPlane
from tests.support.ports import free_port
from tests.support.system import QUICK, Part, System
from tests.support.waiting import wait_for

SHORT_LEASE = {"LEASE_DURATION_S": "11", "LEASE_RENEW_DEADLINE_S": "6", "LEASE_RETRY_PERIOD_S": "2"}
"""Settings of operators: the first two are as far apart as by default, in which a leader that is cut off has to end."""


@dataclass(frozen=True)
class Operator:
    """One of them."""

    name: str
    part: Part
    port: int
    credential: str
    """Id of its token."""

    def answer(self, path: str) -> str:
        """Return what it answers to a probe; raise where that is not 200."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
            return str(response.read().decode())

    @property
    def leader_metric(self) -> float:
        """What it tells Prometheus of itself."""
        lines = self.answer("/metrics").splitlines()
        return float(next(line for line in lines if line.startswith("reconstruction_leader ")).split()[1])

    def pause(self) -> None:
        """Stop its process where it is, as a debugger or a machine that is paused does."""
        os.kill(self.part.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.part.pid, signal.SIGCONT)


class Operators:
    """The operators of a system's namespace."""

    def __init__(self, system: System) -> None:
        """Start none."""
        self._system = system
        self.all: list[Operator] = []

    def start(
        self,
        name: str,
        *,
        api_port: int | None = None,
        redis_port: int | None = None,
        extra_env: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Operator:
        """Start one, which reaches its servers at these ports where others are not given."""
        system, port = self._system, free_port()
        kubeconfig = system.state.root / f"{name}.kubeconfig"
        environment = QUICK | SHORT_LEASE | {"LEADER_ELECTION": "true", "POD_NAME": name, "KUBECONFIG": str(kubeconfig)}
        if redis_port:
            url = redis_url(system.settings.model_copy(update={"redis_port": redis_port}), user=OPERATOR)
            environment |= {"CELERY_BROKER_URL": url, "CELERY_RESULT_BACKEND": url}
        component = operator(
            system.state,
            system.settings,
            namespace=system.namespace,
            extra_env=environment | dict(extra_env or {}),
            name=f"{name}-{system.namespace}",  # of its log
            port=port,
        )
        component.prepare()
        _copy_kubeconfig(system.state.operator_kubeconfig, kubeconfig, api_port)
        started = Operator(name, Part(component, system.state).start(wait=wait), port, credential_of(kubeconfig))
        self.all.append(started)
        return started

    def start_leader(self, name: str, **options: Any) -> Operator:
        """Start the first one, and wait until it leads: it is ready before that, as one that stands by."""
        started = self.start(name, **options)
        assert self.wait_leader() is started
        return started

    def stop(self) -> None:
        """Stop all that still run."""
        for each in self.all:
            each.part.stop()

    def lease(self) -> dict[str, Any]:
        """Return the lease's spec, empty where there is none."""
        api = client.CoordinationV1Api(self._system.control_plane.api)
        try:
            found: Any = api.read_namespaced_lease(NAME, self._system.namespace, _preload_content=False)
        except client.ApiException as error:
            if error.status == 404:
                return {}
            raise
        return dict(json.loads(found.data)["spec"])

    def edit_lease(self, **spec: Any) -> None:
        """Change the lease, as somebody else does."""
        patch = {"spec": spec}
        client.CoordinationV1Api(self._system.control_plane.api).patch_namespaced_lease(
            NAME, self._system.namespace, patch
        )

    def delete_lease(self) -> None:
        """Delete the lease."""
        client.CoordinationV1Api(self._system.control_plane.api).delete_namespaced_lease(NAME, self._system.namespace)

    def leader(self) -> Operator | None:
        """Return who holds the lease, by the name that it has there."""
        holder = (self.lease().get("holderIdentity") or "").rpartition("_")[0]
        return next((each for each in self.all if each.name == holder), None)

    def wait_leader(self, *, other_than: Operator | None = None) -> Operator:
        """Wait until one leads."""
        return wait_for("an operator leads", lambda: ((found := self.leader()) is not other_than and found) or None)

    def writes_of(self, one: Operator) -> list[Request]:
        """Return what one of them has asked the API server to change so far, its lease included."""
        found = requests(self._system.control_plane.state.audit_log)
        return [request for request in found if request.credential == one.credential and request.writes]


@contextmanager
def redis_and_worker(control_plane: ControlPlane, folder: Path) -> Iterator[System]:
    """A system without its own operator, which tests that start operators share; each makes its own namespace there."""
    system = System(control_plane, folder)
    try:
        system.redis.start()
        system.worker.start()
        yield system
        assert system.refusals() == []
    finally:
        system.stop()


@contextmanager
def operators_of(system: System) -> Iterator[Operators]:
    """The operators of a system whose own is not started."""
    operators = Operators(system)
    try:
        yield operators
    finally:
        operators.stop()


def _copy_kubeconfig(source: Path, target: Path, api_port: int | None) -> None:
    document = yaml.safe_load(source.read_text())
    if api_port:
        document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{api_port}"
    target.write_text(yaml.safe_dump(document))


def time_of(lease: Mapping[str, Any], key: str) -> datetime:
    """Return a time of a lease's spec."""
    return datetime.fromisoformat(lease[key])
