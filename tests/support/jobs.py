"""Jobs of a test: a builder of manifests, and a handle that reads and changes one on the API server."""

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import urllib3
from kubernetes import client

from recon_api.resource import FINISHED_LABEL, GROUP, KIND, PLURAL, VERSION
from recon_api.status import ConditionStatus, ConditionType, Phase, ReconstructionJobStatus
from recon_dev.kubectl import Kubectl
from tests.support.waiting import GENEROUS_S, wait_for

Manifest = dict[str, Any]


def make_job(name: str = "chair", **spec: Any) -> Manifest:
    """Return a job that the quick built-in model runs at once, but for what the spec here says (camelCase keys)."""
    defaults = {"input": {"path": "chair"}, "model": "synthetic", "parameters": {"noop": True}}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "metadata": {"name": name},
        "spec": defaults | spec,
    }


def lasting(seconds: float) -> Mapping[str, Any]:
    """Return the parameters of a job that runs for so long."""
    return {"seconds": seconds}


class Cluster(Protocol):
    """An API server and two ways to it: the local control plane, or a cluster that somebody else runs."""

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of its administrator."""

    @property
    def run_kubectl(self) -> Kubectl:
        """kubectl as the administrator."""

    @property
    def api(self) -> client.ApiClient:
        """An API client as the administrator."""


@dataclass(frozen=True)
class Job:
    """A job on the API server."""

    control_plane: Cluster
    namespace: str
    name: str

    def object(self) -> Manifest | None:
        """Return the resource, and nothing once it is gone."""
        api = client.CustomObjectsApi(self.control_plane.api)
        try:
            found: Any = api.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name)
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise
        return dict(found)

    def status(self) -> ReconstructionJobStatus:
        """Return the status; the last one again and again while the API server is away is not invented."""
        return ReconstructionJobStatus.model_validate((self.object() or {}).get("status", {}))

    def kubectl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the job's namespace."""
        return self.control_plane.run_kubectl.run("-n", self.namespace, *arguments)

    def patch(self, **spec: Any) -> subprocess.CompletedProcess[str]:
        """Change fields of the spec, as a person does."""
        return self.kubectl("patch", "rj", self.name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def patch_metadata(self, **metadata: Any) -> subprocess.CompletedProcess[str]:
        """Change fields of the metadata, as a person does; None removes a field."""
        return self.kubectl("patch", "rj", self.name, "--type=merge", "-p", json.dumps({"metadata": metadata}))

    def delete(self) -> None:
        """Ask for the deletion of the job."""
        api = client.CustomObjectsApi(self.control_plane.api)
        try:
            api.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name)
        except client.ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:  # it may have gone by itself
                raise

    def wait_until(
        self, what: str, holds: Callable[[ReconstructionJobStatus], bool], *, within_s: float = GENEROUS_S
    ) -> ReconstructionJobStatus:
        """Return the first status for which this holds; an API server that is away is waited for."""
        latest: list[ReconstructionJobStatus] = []

        def probe() -> ReconstructionJobStatus | None:
            try:
                latest[:] = [self.status()]
            except (client.ApiException, urllib3.exceptions.HTTPError):
                return None
            return latest[0] if holds(latest[0]) else None

        try:
            return wait_for(f"job {self.name} {what}", probe, within_s=within_s)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\nits status: {latest[0].model_dump_json(indent=1) if latest else None}"
            ) from None

    def wait_phase(self, *phases: Phase, within_s: float = GENEROUS_S) -> ReconstructionJobStatus:
        """Wait until the job is in one of these phases; fail at once where it ended in another."""
        status = self.wait_until(
            f"is {' or '.join(phases)}", lambda s: s.phase in phases or s.phase.finished, within_s=within_s
        )
        assert status.phase in phases, f"{status.phase}: {status.message} {status.conditions}"
        return status

    def wait_percentage(self, percentage: int) -> ReconstructionJobStatus:
        """Wait until the job runs and has come so far."""
        return self.wait_until(
            f"runs and is at {percentage} %",
            lambda s: s.phase is Phase.RUNNING and s.progress is not None and s.progress.percentage >= percentage,
        )

    def events(self) -> list[tuple[str, str]]:
        """Return reason and note of each event about the job."""
        found: Any = client.EventsV1Api(self.control_plane.api).list_namespaced_event(self.namespace)
        return [(each.reason, each.note) for each in found.items if each.regarding.name == self.name]

    def is_labelled(self) -> bool:
        """Say whether the job, which exists, has the label of finished jobs."""
        return FINISHED_LABEL in (self.object() or {})["metadata"].get("labels", {})

    def wait_gone(self) -> None:
        """Wait until the resource no longer exists."""
        wait_for(f"job {self.name} is gone", lambda: self.object() is None)


def has_condition(status: ReconstructionJobStatus, kind: ConditionType, reason: str | None = None) -> bool:
    """Say whether a condition is true, and for that reason where one is given."""
    found = status.condition(kind)
    return found is not None and found.status is ConditionStatus.TRUE and reason in (None, found.reason)


@contextmanager
def recorded(control_plane: Cluster, namespace: str, file: Path) -> Iterator[Callable[[], list[Manifest]]]:
    """Record a namespace's jobs from now on; the function yielded returns every state that they have had until it is called.

    The watch begins at a version of the list, however late its process starts.
    """
    kubectl, began = control_plane.run_kubectl, _listed(control_plane, namespace)["metadata"]["resourceVersion"]
    url = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}?watch=true&resourceVersion={began}"
    with file.open("w") as output:
        watch = subprocess.Popen([*kubectl.command, "get", "--raw", url], env=kubectl.env, stdout=output)

    def shown() -> list[Manifest]:
        lines = file.read_text().splitlines(keepends=True)
        return [json.loads(line)["object"] for line in lines if line.endswith("\n")]

    def states() -> list[Manifest]:
        now = _versions(_listed(control_plane, namespace)["items"])

        def has_caught_up() -> bool:
            seen = _versions(shown())
            return all(seen.get(uid, 0) >= version for uid, version in now.items() if version > int(began))

        wait_for("the watch shows the jobs as they are now", has_caught_up)
        return shown()

    try:
        yield states
    finally:
        watch.kill()
        watch.wait()


def _listed(control_plane: Cluster, namespace: str) -> Manifest:
    api = client.CustomObjectsApi(control_plane.api)
    found: Any = api.list_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL)
    return dict(found)


def _versions(jobs: Iterable[Manifest]) -> dict[str, int]:
    """Return the newest version of each job, by its UID; within one kind they are ordered."""
    found: dict[str, int] = {}
    for job in jobs:
        uid, version = job["metadata"]["uid"], int(job["metadata"]["resourceVersion"])
        found[uid] = max(version, found.get(uid, 0))
    return found
