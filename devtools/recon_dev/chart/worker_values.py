"""The chart's values of the worker pools."""

from typing import Annotated, Literal

from pydantic import Field

from recon_dev.chart.fields import (
    Image,
    KubernetesList,
    KubernetesObject,
    Name,
    Placement,
    Quantity,
    Resources,
    Settings,
    Values,
)


class Weights(Values):
    """The weights of models that need any, mounted read-only and never downloaded."""

    existing_claim: Name = ""
    """A PersistentVolumeClaim that holds them."""
    volume: KubernetesObject = {}
    """Or any other volume, as a Pod has it, such as `{image: {reference: …}}`."""
    sub_path: str = Field(default="", pattern=r"^([^/].*)?$")
    """Folder in the volume."""
    mount_path: str = Field(default="/app/weights", pattern="^/.+$")
    """Where the worker finds them."""


class PoolSettings(Placement):
    """How the workers of a pool run. Each is the default of all pools, and can be set in a pool of its own."""

    replicas: int = Field(default=1, ge=0)
    """How many workers; with KEDA it decides."""
    gpus: int = Field(default=1, ge=0)
    """GPUs of each worker; 0 for workers that compute on the CPU."""
    gpu_resource: str = Field(default="nvidia.com/gpu", pattern="^[a-z0-9.-]+/[A-Za-z0-9._-]+$")
    """What the device plugin calls a GPU, such as `nvidia.com/mig-1g.10gb`."""
    resources: Resources = Resources(requests={"cpu": "2", "memory": "4Gi"}, limits={"memory": "16Gi"})
    runtime_class_name: Name = ""
    """RuntimeClass of the Pods, where GPUs need one, such as `nvidia`."""
    weights: Weights = Weights()
    shared_memory: Quantity = "1Gi"
    """Size of /dev/shm, which counts as memory of the worker."""
    scratch: Quantity = "20Gi"
    """Size of /tmp, on the node's disk, at most."""
    stop_grace_seconds: int = Field(default=20, ge=0)
    """How long an attempt may take to leave its step when its worker is stopped; then it is killed."""
    termination_grace_period_seconds: int = Field(default=600, ge=1)
    """How long a stopped worker may take before the kubelet kills it: longer than any step, and at least 15 s more than
    `stopGraceSeconds`. One that has handed its job over goes at once."""
    pod_annotations: dict[str, str] = {}
    """Annotations of the Pods."""
    pod_labels: dict[str, str] = {}
    """Labels of the Pods."""
    topology_spread_constraints: KubernetesList = []
    """How workers are spread."""
    settings: Settings = {}
    """Further [settings](../../docs/reference/settings.md), such as `INPUT_LIMITS__MAX_PHOTOS: 500`."""


class Pool(PoolSettings):
    """One pool of workers."""

    name: Annotated[str, Field(max_length=20, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    """Name, unique among the pools."""
    gpu_class: str = Field(default="any", max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    """The `spec.gpuClass` of the jobs that it takes."""


class Worker(Values):
    """The workers: they turn photos into meshes, one job at a time on each."""

    image: Image = Image(repository="reconstruction-worker")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged, as JSON."""
    pool_defaults: PoolSettings = PoolSettings()
    pools: Annotated[list[Pool], Field(min_length=1)] = [Pool(name="default", gpu_class="any")]
    """The pools: each has a `name`, a `gpuClass`, and whatever differs from `poolDefaults`."""
