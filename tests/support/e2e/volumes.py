"""Volumes for the claims of the tests, on a cluster whose StorageClass makes none by itself.

They are folders of the node, emptied before and after a run. A cluster with a provisioner needs none of this.
"""

from typing import Any

from tests.support.e2e.cluster import OURS, RealCluster
from tests.support.e2e.images import operator_image

NAME = "recon-e2e"
FOLDER = "/var/tmp/recon-e2e"
COUNT = 20
"""More than the claims that a run makes in all: each volume serves one claim, and is not used again."""

STATIC = "kubernetes.io/no-provisioner"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def storage_class(cluster: RealCluster) -> str:
    """Return the StorageClass to name in claims, empty for the cluster's default; make volumes where it makes none."""
    classes = cluster.run_kubectl.get("storageclass")["items"]
    default = [found for found in classes if found["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true"]
    if default and default[0]["provisioner"] != STATIC:
        return ""
    _make_folders(cluster)
    cluster.run_kubectl.apply(_class(), *map(_volume, range(COUNT)))
    return NAME


def _make_folders(cluster: RealCluster) -> None:
    """Make the volumes' folders anew, writable for any user: Kubernetes itself makes such a folder for root alone."""
    names = " ".join(f"/node/{number}" for number in range(COUNT))
    namespace = cluster.make_namespace("volumes", labels={})
    script = f"rm -rf /node/* && mkdir -p {names} && chmod 777 {names}"
    metadata = {"name": "make-folders", "namespace": namespace}
    cluster.run_kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _as_root(script)})
    try:
        cluster.run_kubectl(
            "-n", namespace, "wait", "pod/make-folders", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=50s"
        )
    finally:
        cluster.delete_namespaces(namespace)


def _as_root(script: str) -> dict[str, Any]:
    container = {
        "name": "shell",
        "image": operator_image(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "securityContext": {"runAsUser": 0},
        "volumeMounts": [{"name": "node", "mountPath": "/node"}],
    }
    return {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "node", "hostPath": {"path": FOLDER, "type": "DirectoryOrCreate"}}],
    }


def _class() -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": NAME, "labels": {OURS: "true"}},
        "provisioner": STATIC,
        "volumeBindingMode": "Immediate",
    }


def _volume(number: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{NAME}-{number}", "labels": {OURS: "true"}},
        "spec": {
            "storageClassName": NAME,
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"{FOLDER}/{number}"},
        },
    }
