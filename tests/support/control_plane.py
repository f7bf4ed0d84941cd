"""A real etcd and API server with the CRD, one for a whole test run however many processes run its tests."""

import fcntl
import os
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kubernetes import client, config

from recon_dev.binaries import find_kubectl
from recon_dev.cluster import Options
from recon_dev.kubectl import Kubectl
from recon_dev.lifecycle import down, up_in_background
from recon_dev.state import Settings, StateDir
from recon_dev.status import ClusterStatus, SupervisorLock


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane, its supervisor included."""

    state: StateDir

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of its administrator."""
        return self.state.kubeconfig

    @property
    def settings(self) -> Settings:
        """Its ports."""
        return self.state.read_settings()

    @property
    def kubectl(self) -> str:
        """Path of kubectl."""
        return str(find_kubectl())

    @cached_property
    def run_kubectl(self) -> Kubectl:
        """kubectl as the administrator."""
        return Kubectl(self.kubeconfig)

    @cached_property
    def api(self) -> client.ApiClient:
        """An API client as the administrator: quicker than kubectl where a test looks again and again."""
        configuration = client.Configuration()
        config.load_kube_config(str(self.kubeconfig), client_configuration=configuration, persist_config=False)
        configuration.retries = 1
        return client.ApiClient(configuration)

    def pid(self, component: str) -> int:
        """Return the PID of `etcd` or `kube-apiserver` as it runs now."""
        found = next(c.pid for c in ClusterStatus.load(self.state).components if c.name == component)
        assert found
        return found

    def stop(self) -> None:
        """Stop it, its supervisor included."""
        down(self.state)

    def make_namespace(self) -> str:
        """Make a namespace of a new name. Nothing deletes it: only the control plane's own end does."""
        name = f"test-{uuid.uuid4().hex[:10]}"
        client.CoreV1Api(self.api).create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
        return name


def shared_control_plane(folder: Path) -> ControlPlane:
    """Return the control plane in `folder`, started by the first process of the test run that comes here.

    It goes when the test run's main process has gone, whatever way that ends.
    """
    state = StateDir(folder / "control-plane")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "control-plane.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not SupervisorLock(state).held():
            start_control_plane(state)
    return ControlPlane(state)


def start_control_plane(state: StateDir) -> ControlPlane:
    """Start a control plane alone, without Redis, operator and workers."""
    without = frozenset({"valkey", "operator", "workers"})
    up_in_background(state, Options(without=without, parent_pid=_main_process(), durable=False, audit=True))
    return ControlPlane(state)


def _main_process() -> int:
    """Return the PID of the test run's main process; under xdist it is the parent of those that run tests."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
