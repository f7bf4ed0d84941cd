"""A cluster that somebody else runs, reached through a kubeconfig as its administrator does: kubectl, helm, an API client."""

import json
import os
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config

from recon_dev.binaries import find_helm
from recon_dev.kubectl import Kubectl
from tests.support.waiting import wait_for

OURS = "reconstruction.dev/e2e"
"""Label of each namespace that these tests make: what a killed run left is found by it."""

PREFIX = "recon-e2e-"
"""How the names of those namespaces begin; cluster-wide objects of their releases name them."""

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
HELM_TIMEOUT_S = 900


@dataclass(frozen=True)
class RealCluster:
    """The cluster of a kubeconfig's current context."""

    kubeconfig: Path

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
        if not configuration.verify_ssl:  # the kubeconfig wants it so
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return client.ApiClient(configuration)

    def helm(self, *arguments: str, values: Mapping[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        """Run helm, with these values as its last values file, and return what came of it."""
        given = [] if values is None else ["--values", "-"]
        return subprocess.run(
            [str(find_helm()), f"--kubeconfig={self.kubeconfig}", *arguments, *given],
            input=None if values is None else yaml.safe_dump(dict(values)),
            capture_output=True,
            text=True,
            timeout=HELM_TIMEOUT_S,
            check=False,
        )

    def objects(self, kind: str, namespace: str = "", **labels: str) -> list[dict[str, Any]]:
        """Return the objects of a kind that have these labels, in a namespace or in all."""
        where = ["-n", namespace] if namespace else ["-A"]
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found: list[dict[str, Any]] = self.run_kubectl.get(kind, *where, "-l", selector)["items"]
        return found

    def make_namespace(self, purpose: str, labels: Mapping[str, str] = RESTRICTED) -> str:
        """Make a namespace of a new name; Pods in it are held to the pod security standard `restricted`."""
        name = f"{PREFIX}{purpose}-{uuid.uuid4().hex[:6]}"
        metadata = {"name": name, "labels": {OURS: "true", **labels}}
        self.run_kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return name

    def delete_namespaces(self, *names: str) -> None:
        """Delete namespaces with all they hold, also jobs that no operator lets go any more."""
        if not names:
            return
        self.run_kubectl.run("delete", "namespace", "--wait=false", "--ignore-not-found", *names)

        def gone() -> bool:
            left = self.run_kubectl("get", "namespace", "-o", "name").split()
            waiting = [name for name in names if f"namespace/{name}" in left]
            for name in waiting:
                self.release_jobs(name)
            return not waiting

        wait_for(f"the namespaces {' '.join(names)} are gone", gone, within_s=180, every_s=0.5)

    def release_jobs(self, namespace: str) -> None:
        """Take the finalizers off a namespace's jobs: nobody is left who would."""
        found = self.run_kubectl.run("-n", namespace, "get", "rj", "-o", "json")
        for job in json.loads(found.stdout)["items"] if found.returncode == 0 else []:
            if job["metadata"].get("finalizers"):
                change = json.dumps({"metadata": {"finalizers": None}})
                name = job["metadata"]["name"]
                self.run_kubectl.run("-n", namespace, "patch", "rj", name, "--type=merge", "-p", change)

    def remove_namespaces(self, *names: str) -> None:
        """Delete namespaces as above, and what releases in them made cluster-wide; the definition stays."""
        self.delete_namespaces(*names)
        for kind in ("clusterroles", "clusterrolebindings"):
            for found in self.objects(kind, **{"app.kubernetes.io/part-of": "reconstruction-operator"}):
                metadata = found["metadata"]
                owner = metadata.get("annotations", {}).get("meta.helm.sh/release-namespace", "")
                if owner in names or owner.startswith(PREFIX):
                    self.run_kubectl("delete", kind, metadata["name"], "--ignore-not-found")

    def clean(self) -> None:
        """Delete what an earlier run left, killed ones among them: its namespaces, volumes and cluster-wide objects."""
        names = self.run_kubectl("get", "namespace", "-l", OURS, "-o", "jsonpath={.items[*].metadata.name}").split()
        self.remove_namespaces(*names)
        self.run_kubectl("delete", "persistentvolumes,storageclasses", "-l", OURS, "--ignore-not-found")


def given_cluster(folder: Path) -> RealCluster | None:
    """Return the cluster of the usual kubeconfig, of which a copy is put into a folder; nothing where there is none."""
    given = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if not Path(given.split(os.pathsep)[0]).is_file():
        return None
    copy = folder / "kubeconfig"
    copy.touch(mode=0o600)
    command = [*Kubectl(copy).command[:1], "config", "view", "--raw", "--flatten", "--minify"]
    copy.write_text(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return RealCluster(copy)
