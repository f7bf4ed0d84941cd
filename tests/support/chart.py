"""The chart as Helm renders it."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from recon_dev.binaries import find_helm
from recon_dev.checks.chart import CHART

Manifest = dict[str, Any]
Values = Mapping[str, Any]

RELEASE, NAMESPACE = "first", "recon"
NAME = f"{RELEASE}-reconstruction-operator"


def helm(*arguments: str, values: Values | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run helm with these values."""
    command = [str(_helm()), *arguments, *(["--values=-"] if values is not None else [])]
    given = json.dumps(values) if values is not None else None
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, **options)


@cache
def _helm() -> str:
    return str(find_helm())


@dataclass(frozen=True)
class Rendered:
    """What a release consists of."""

    objects: tuple[Manifest, ...]

    def of_kind(self, kind: str) -> list[Manifest]:
        """Return the objects of a kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def get(self, kind: str, name: str) -> Manifest:
        """Return the one object of that kind and name."""
        (found,) = [each for each in self.of_kind(kind) if each["metadata"]["name"] == name]
        return found

    def names(self, kind: str) -> set[str]:
        """Return the names of the objects of a kind."""
        return {each["metadata"]["name"] for each in self.of_kind(kind)}

    def pods(self) -> Iterator[tuple[str, Manifest]]:
        """Yield the spec of every Pod, with the name of what it is made from."""
        for each in self.objects:
            name = f"{each['kind']}/{each['metadata']['name']}"
            if each["kind"] == "Pod":
                yield name, each["spec"]
            elif "template" in each.get("spec", {}):
                yield name, each["spec"]["template"]["spec"]

    def pod(self, name: str) -> Manifest:
        """Return the spec of the Pods of `Kind/name`."""
        return dict(self.pods())[name]


def render(values: Values | None = None) -> Rendered:
    """Render the chart without a cluster."""
    return _render(json.dumps(values or {}))


@cache
def _render(values: str) -> Rendered:
    done = helm("template", RELEASE, str(CHART), f"--namespace={NAMESPACE}", values=json.loads(values))
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(each for each in yaml.safe_load_all(done.stdout) if each))


def refusal(values: Values) -> str:
    """Return what Helm says of values that it refuses."""
    done = helm("template", RELEASE, str(CHART), f"--namespace={NAMESPACE}", values=values)
    assert done.returncode != 0, "the values were taken"
    return done.stderr


def environment(pod: Manifest) -> dict[str, Any]:
    """Return the variables of a Pod's first container: their values, or where those come from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in pod["containers"][0]["env"]}


GPU_POOLS: Values = {
    "worker": {
        "pools": [
            {"name": "default"},
            {
                "name": "big",
                "gpuClass": "h100",
                "replicas": 3,
                "gpus": 2,
                "gpuResource": "nvidia.com/mig-1g.10gb",
                "resources": {"limits": {"memory": "64Gi"}},
                "nodeSelector": {"nvidia.com/gpu.product": "H100"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
                "runtimeClassName": "nvidia",
                "weights": {"existingClaim": "weights", "subPath": "v1"},
                "sharedMemory": "8Gi",
                "stopGraceSeconds": 30,
                "settings": {"INPUT_LIMITS__MAX_PHOTOS": 1000000, "DEVICE": "cuda"},
            },
            {"name": "cpu", "gpuClass": "cpu", "gpus": 0},
        ]
    }
}
EXTERNAL_REDIS: Values = {
    "redis": {
        "builtIn": {"enabled": False},
        "auth": {"existingSecret": "redis-passwords"},
        "external": {
            "host": "redis.example.com",
            "port": 6380,
            "workerUser": "w",
            "tls": {"enabled": True, "caSecret": "redis-ca", "caKey": "ca.pem"},
        },
    },
}
EXISTING_CLAIMS: Values = {
    "storage": {"existingClaim": "photos", "subPath": "recon"},
    "redis": {"builtIn": {"persistence": {"existingClaim": "redis-data"}}},
}
BUCKET: Values = {
    "storage": {"url": "s3://store/recon/", "secretName": "store", "caSecret": "store-ca", "scratchSize": "50Gi"}
}
NAMESPACED: Values = {
    "watchNamespaces": ["team-a", "team-b"],
    "operator": {"replicas": 1, "settings": {"RELIST_INTERVAL_S": 300}},
    "jobs": {"defaultTtlSecondsAfterFinished": 1000000, "synthetic": False},
    "networkPolicy": {"enabled": False},
}
EVERYTHING_ON: Values = {
    "commonLabels": {"team": "vision"},
    "imagePullSecrets": [{"name": "registry"}],
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "podMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboards": {"enabled": True},
    },
    "keda": {"enabled": True, "prometheusAddress": "http://prometheus:9090", "maxReplicas": 8},
    "remote": {"secrets": True, "allowedPrivateHosts": ["minio.storage", "10.0.0.7"], "maxSizeBytes": 10**12},
    "tracing": {"endpoint": "http://collector.tracing:4317"},
    "worker": {"poolDefaults": {"weights": {"volume": {"image": {"reference": "weights:1"}}}}},
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more"}}],
}

VALUE_SETS: Mapping[str, Values] = {
    "defaults": {},
    "GPU pools": GPU_POOLS,
    "external Redis": EXTERNAL_REDIS,
    "existing claims": EXISTING_CLAIMS,
    "a bucket": BUCKET,
    "namespaced": NAMESPACED,
    "everything on": EVERYTHING_ON,
}
