"""One release of the chart in a namespace of its own, as its administrator handles it."""

import io
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes import client

from recon_dev.state import CHECKOUT
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.images import image_values
from tests.support.jobs import Job, Manifest
from tests.support.waiting import wait_for

CHART = CHECKOUT / "charts" / "reconstruction-operator"
VALUES = CHECKOUT / "tests" / "e2e" / "values.yaml"
RELEASE = "reconstruction"
STORAGE = "/app/storage/jobs"
"""Where a worker has the storage."""

START_S = 300
"""How long Pods may take to be ready on a busy node; the first worker on a node unpacks gigabytes."""

Values = Mapping[str, Any]


class HelmError(AssertionError):
    """helm refused, and said why."""


@dataclass(frozen=True)
class Installation:
    """A release, and the namespaces whose jobs it looks after."""

    cluster: RealCluster
    namespace: str
    values: Values
    """What it was first installed with."""

    def install(self, *arguments: str, values: Values | None = None) -> str:
        """Install the release or upgrade it, wait until all of it is ready, and return what helm said."""
        return self.helm("--wait", f"--timeout={START_S}s", *arguments, values=values)

    def helm(self, *arguments: str, values: Values | None = None) -> str:
        """Install the release or upgrade it without waiting; `values` adds to those of the first time. Raises HelmError."""
        done = self.cluster.helm(
            "upgrade",
            "--install",
            RELEASE,
            str(CHART),
            "-n",
            self.namespace,
            "--values",
            str(VALUES),
            *arguments,
            values=merged(image_values(), self.values, values or {}),
        )
        if done.returncode != 0:
            raise HelmError(done.stderr + done.stdout)
        return done.stdout

    def uninstall(self) -> str:
        """Uninstall the release, wait until all of it is gone, and return what helm said. Raises HelmError."""
        done = self.cluster.helm("uninstall", RELEASE, "-n", self.namespace, "--wait", f"--timeout={START_S}s")
        if done.returncode != 0:
            raise HelmError(done.stderr + done.stdout)
        return done.stdout

    def kubectl(self, *arguments: str, timeout_s: float = START_S) -> str:
        """Run kubectl in the release's namespace."""
        return self.cluster.run_kubectl("-n", self.namespace, *arguments, timeout_s=timeout_s)

    def objects(self, kind: str, component: str = "", **labels: str) -> list[dict[str, Any]]:
        """Return the release's objects of a kind; where a component is given, only its."""
        part = {"app.kubernetes.io/component": component} if component else {}
        return self.cluster.objects(kind, self.namespace, **{"app.kubernetes.io/instance": RELEASE}, **part, **labels)

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Return a component's Pods that are not on their way out."""
        return [pod for pod in self.objects("pods", component) if "deletionTimestamp" not in pod["metadata"]]

    def pod_names(self, component: str) -> set[str]:
        """Return their names."""
        return {pod["metadata"]["name"] for pod in self.pods(component)}

    def kill(self, pod: str) -> None:
        """Kill a Pod, leaving it no time to say goodbye."""
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force")

    def evict(self, pod: str) -> None:
        """Ask a Pod to leave, as the drain of a node does: it has its grace time, and disruption budgets count."""
        metadata = client.V1ObjectMeta(name=pod, namespace=self.namespace)
        client.CoreV1Api(self.cluster.api).create_namespaced_pod_eviction(
            pod, self.namespace, client.V1Eviction(metadata=metadata)
        )

    def wait_ready(self, component: str) -> None:
        """Wait until a component's Deployment or StatefulSet is as it should be."""
        for kind in ("deployments", "statefulsets"):
            for found in self.objects(kind, component):
                self.kubectl("rollout", "status", f"{kind}/{found['metadata']['name']}", f"--timeout={START_S}s")

    def deployment(self, component: str, **labels: str) -> str:
        """Return a component's Deployment as kubectl names it."""
        [found] = self.objects("deployments", component, **labels)
        return f"deployment/{found['metadata']['name']}"

    def leader(self) -> str:
        """Return the name of the Pod that leads, as the lease says."""
        leases = self.cluster.run_kubectl.get("leases", "-n", self.namespace)["items"]
        holders = [lease["spec"].get("holderIdentity") or "" for lease in leases]
        return next((holder.rpartition("_")[0] for holder in holders if holder), "")

    def wait_leader(self, *, other_than: str = "") -> str:
        """Wait until a Pod leads, and it is another one."""
        return wait_for(
            "an operator leads", lambda: found if (found := self.leader()) != other_than else None, every_s=0.5
        )

    def submit(self, manifest: Manifest, namespace: str) -> Job:
        """Create a job."""
        self.cluster.run_kubectl.apply(manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}})
        return Job(self.cluster, namespace, manifest["metadata"]["name"])

    def in_worker(self, *command: str, given: bytes = b"") -> bytes:
        """Run a command in a worker and return what it prints; `given` is its standard input."""
        kubectl = self.cluster.run_kubectl
        worker = next(iter(self.pod_names("worker")))
        return subprocess.run(
            [*kubectl.command, "-n", self.namespace, "exec", "-i", worker, "-c", "worker", "--", *command],
            env=kubectl.env,
            input=given,
            capture_output=True,
            timeout=START_S,
            check=True,
        ).stdout

    def put_photos(self, photos: Sequence[Path], namespace: str, name: str) -> None:
        """Put photos into a folder of a namespace's own inputs, through a worker."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for photo in photos:
                tar.add(photo.resolve(), arcname=photo.name)
        folder = f"{STORAGE}/inputs/{namespace}/{name}"
        self.in_worker("mkdir", "-p", folder)
        self.in_worker("tar", "-x", "--no-same-owner", "-C", folder, given=archive.getvalue())

    def files(self, folder: str) -> dict[str, str]:
        """Return the finished files below a folder of the storage, with what tells each from one written anew."""
        found = self.in_worker("find", f"{STORAGE}/{folder}", "-type", "f", "-printf", r"%P\t%i %T@ %s\n").decode()
        files = dict(line.split("\t", 1) for line in found.splitlines())
        return {name: about for name, about in files.items() if not name.startswith(".")}

    def log(self, component: str) -> str:
        """Return what the containers of a component's Pods have logged."""
        labels = f"app.kubernetes.io/instance={RELEASE},app.kubernetes.io/component={component}"
        return self.kubectl("logs", "-l", labels, "--tail=-1")

    def events(self, namespace: str, **about: str) -> str:
        """Return the messages of a namespace's events about some object, such as `name="chair"`."""
        fields = ",".join(f"involvedObject.{key}={value}" for key, value in about.items())
        found = self.cluster.run_kubectl.get("events", "-n", namespace, f"--field-selector={fields}")["items"]
        return "\n".join(event.get("message") or event.get("note", "") for event in found)

    def remove(self) -> None:
        """Uninstall the release if it is there, and delete its namespace with all it holds."""
        self.cluster.helm("uninstall", RELEASE, "-n", self.namespace, "--no-hooks", "--ignore-not-found")
        self.cluster.delete_namespaces(self.namespace)


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return values put together, later ones over earlier ones; lists are replaced."""
    result: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            before = result.get(key)
            both = isinstance(before, Mapping) and isinstance(value, Mapping)
            result[key] = merged(before, value) if both else deepcopy(value)  # type: ignore[arg-type] # both are mappings
    return result
