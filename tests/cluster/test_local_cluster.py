"""`recon-dev up`, as a person uses it: everything starts, heals and stops, and nobody has more rights than needed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recon_dev.kubectl import Kubectl
from recon_dev.service_account import NAME, NAMESPACE
from recon_dev.state import StateDir
from recon_dev.status import ClusterStatus, ComponentState
from tests.support.jobs import make_job
from tests.support.waiting import wait_for


def recon_dev(*arguments: str, state: StateDir) -> subprocess.CompletedProcess[str]:
    """Run a command of recon-dev."""
    command = [sys.executable, "-m", "recon_dev", *arguments, f"--state-dir={state.root}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateDir]:
    """A local cluster that is up."""
    state = StateDir(tmp_path_factory.mktemp("local") / "dev")
    up = recon_dev("up", "--detach", "--fast", f"--parent-pid={os.getpid()}", state=state)
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        yield state
    finally:
        recon_dev("down", state=state)


def test_up_again_says_that_it_is_up(state: StateDir) -> None:
    again = recon_dev("up", "--detach", state=state)
    assert again.returncode == 0
    assert "already up" in again.stdout


def test_status_lists_all_components(state: StateDir) -> None:
    shown = recon_dev("status", state=state)
    assert shown.returncode == 0, shown.stdout
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "valkey", "operator", "worker-0"):
        assert name in shown.stdout


def test_a_component_that_is_killed_comes_back(state: StateDir) -> None:
    before = {c.name: c for c in ClusterStatus.load(state).components}
    pids = [component.pid for component in before.values() if component.pid]
    assert len(pids) == len(before), before
    for pid in pids:
        os.kill(pid, signal.SIGKILL)

    def healed() -> bool:
        now = ClusterStatus.load(state).components
        return all(c.state is ComponentState.READY and c.pid != before[c.name].pid for c in now)

    wait_for("all components are back", healed)
    kubectl = Kubectl(state.kubeconfig)
    kubectl("apply", "-f", "-", stdin=json.dumps(make_job("after-kills")))
    kubectl("wait", "--for=condition=Complete", "rj/after-kills", "--timeout=90s", timeout_s=120)


def test_a_namespace_that_is_deleted_ends(state: StateDir) -> None:
    kubectl = Kubectl(state.kubeconfig)
    kubectl("create", "namespace", "left")
    kubectl("create", "configmap", "something", "-n", "left")
    kubectl("delete", "namespace", "left", "--timeout=90s", timeout_s=120)


def test_what_an_owner_leaves_behind_is_collected(state: StateDir) -> None:
    kubectl = Kubectl(state.kubeconfig)
    kubectl("create", "configmap", "owner")
    uid = kubectl.get("configmap", "owner")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    metadata = {"name": "owned", "namespace": "default", "ownerReferences": [reference]}
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    kubectl("delete", "configmap", "owner")
    kubectl("wait", "--for=delete", "configmap/owned", "--timeout=90s", timeout_s=120)


def test_a_quota_limits_how_many_jobs_there_are(state: StateDir) -> None:
    kubectl = Kubectl(state.kubeconfig)
    kubectl("create", "namespace", "limited")
    kubectl("create", "quota", "jobs", "--hard=count/reconstructionjobs.reconstruction.dev=0", "-n", "limited")
    wait_for("the quota is known", lambda: kubectl.get("quota", "jobs", "-n", "limited")["status"].get("used"))
    refused = kubectl.run("apply", "-n", "limited", "-f", "-", stdin=json.dumps(make_job()))
    assert "exceeded quota" in refused.stderr


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        pytest.param("list", "reconstructionjobs.reconstruction.dev", "yes", id="reads jobs"),
        pytest.param("patch", "reconstructionjobs.reconstruction.dev/status", "yes", id="writes their status"),
        pytest.param("delete", "nodes", "no", id="has no power over nodes"),
        pytest.param("create", "clusterrolebindings.rbac.authorization.k8s.io", "no", id="can't give itself rights"),
        pytest.param("*", "*", "no", id="is no administrator"),
    ],
)
def test_the_operators_account(state: StateDir, verb: str, resource: str, allowed: str) -> None:
    account = f"system:serviceaccount:{NAMESPACE}:{NAME}"
    answer = Kubectl(state.kubeconfig).run("auth", "can-i", verb, resource, "-A", f"--as={account}")
    assert answer.stdout.strip() == allowed, answer.stderr


def test_workers_have_no_kubernetes_credentials(state: StateDir) -> None:
    worker = next(c for c in ClusterStatus.load(state).components if c.name == "worker-0")
    environment = psutil.Process(worker.pid).environ()
    assert "KUBECONFIG" not in environment
    assert not any(name.startswith("KUBERNETES_") for name in environment)


def test_down_leaves_nothing_running(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "dev")
    up = recon_dev("up", "--detach", "--fast", "--without=operator", "--without=workers", state=state)
    assert up.returncode == 0, up.stdout + up.stderr
    pids = [c.pid for c in ClusterStatus.load(state).components]
    assert recon_dev("down", state=state).returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    assert "Nothing was running" in recon_dev("down", state=state).stdout
