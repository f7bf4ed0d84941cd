"""What the chart can be told: every value with its type, default and meaning."""

from typing import Literal

from pydantic import Field

from recon_dev.chart.fields import (
    EmptyOrSeconds,
    HostName,
    Image,
    KubernetesList,
    KubernetesObject,
    Name,
    NamespaceName,
    Placement,
    Quantity,
    Resources,
    Settings,
    Values,
)
from recon_dev.chart.redis_values import Redis
from recon_dev.chart.surroundings import Keda, Monitoring, NetworkPolicy, Tracing
from recon_dev.chart.worker_values import Worker
from recon_worker.remote.locations import BUCKET_URL


class Crds(Values):
    """The definition of ReconstructionJob."""

    install: bool = True
    """Install and upgrade the definition with this release. Switch it off where somebody else installs it."""
    keep: bool = True
    """Leave the definition, and with it every job, in the cluster when the release is uninstalled."""
    check: bool = True
    """With `install: false`: refuse to install beside a definition that lacks fields which this version needs. It reads
    the definition, so whoever runs helm must be allowed to."""


class Rbac(Values):
    """Roles."""

    create: bool = True
    """Create the operator's roles and their bindings."""
    aggregate: bool = True
    """Let everybody with the ClusterRoles `view`, `edit` or `admin` in a namespace read, or change, its jobs."""


class ServiceAccount(Values):
    """The operator's account."""

    create: bool = True
    """Create the account."""
    name: Name = ""
    """Its name; the release's where empty."""
    annotations: dict[str, str] = {}
    """Annotations of the account."""


class PodDisruptionBudget(Values):
    """What a drain leaves running."""

    enabled: bool = True
    """Keep one operator running while nodes are drained; only with two replicas or more."""


class Operator(Placement):
    """The operator: it watches jobs and writes their status."""

    image: Image = Image(repository="reconstruction-operator")
    replicas: int = Field(default=2, ge=1, le=10)
    """How many run: one leads, the others take over when it goes."""
    resources: Resources = Resources(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "1Gi"})
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    topology_spread_constraints: KubernetesList = []
    """How replicas are spread; over nodes, where that can be, if empty."""
    service_account: ServiceAccount = ServiceAccount()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is logged, as JSON."""
    pod_annotations: dict[str, str] = {}
    """Annotations of its Pods."""
    installation: str = Field(default="", max_length=512)
    """What the installation is called in the status of its jobs (`status.operator`), so that others leave them alone;
    `<namespace>/<full name>` of the release where empty."""
    adopt_from: list[str] = []
    """Other installations, uninstalled by now, whose jobs this one takes over: their names as `status.operator` shows them."""
    settings: Settings = {}
    """Further [settings](../../docs/reference/settings.md), such as `RELIST_INTERVAL_S: 300`."""


class Jobs(Values):
    """What a job gets that does not say otherwise."""

    default_model: str = Field(default="multiview", min_length=1)
    """The model of a job that names none."""
    default_ttl_seconds_after_finished: EmptyOrSeconds = ""
    """How long finished jobs stay; for ever where empty."""
    restored: Literal["Run", "Hold"] = "Run"
    """What becomes of a finished job that a backup restores without its status: it runs again, or it is held until its
    annotation `reconstruction.dev/restored-job` says `Run`."""
    cancellation_expiry_seconds: int = Field(default=3600, ge=1)
    """How long a request for cancellation waits for its confirmation."""
    cancellation_grace_seconds: int = Field(default=10, ge=0)
    """How long an attempt may take to stop by itself before it is killed."""
    synthetic: bool = True
    """Allow the model `synthetic`, which makes work and failures on request. `helm test` needs it."""


class NewClaim(Values):
    """The claim that the chart makes where it is given none."""

    size: Quantity = "100Gi"
    """Its size."""
    storage_class_name: Name = ""
    """Its StorageClass; the cluster's default where empty."""
    access_modes: list[Literal["ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]] = ["ReadWriteMany"]
    """ReadWriteMany unless all workers run on one node."""
    keep: bool = True
    """Leave the claim, and with it all results, when the release is uninstalled."""


class Storage(Values):
    """Where photos lie and meshes go: one volume that all workers share, or a bucket."""

    url: str = Field(default="", pattern=f"^({BUCKET_URL})?$")
    """A bucket, or a prefix in one, to use instead of a volume, such as `s3://bucket/prefix`. Nothing is claimed then, and
    workers work on their nodes' disks."""
    secret_name: Name = ""
    """For `url`: a Secret of the release's namespace with the keys `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and, where
    they are needed, `AWS_SESSION_TOKEN` and `endpointURL`, an S3 server that is not AWS. It is read when a worker starts."""
    ca_secret: Name = ""
    """With `url`: a Secret whose key `ca.crt` is the certificate of the authority of an S3 server of your own; the public ones where
    empty."""
    scratch_size: Quantity = "100Gi"
    """With `url`: how much of its node's disk a worker may use for the jobs that it works on; one that needs more is evicted."""
    existing_claim: Name = ""
    """A PersistentVolumeClaim of the release's namespace to use; a new one is made where empty."""
    claim: NewClaim = NewClaim()
    sub_path: str = Field(default="", pattern=r"^([^/].*)?$")
    """Folder in the volume to keep to; the whole volume where empty."""


class Remote(Values):
    """Photos from URLs, and results to buckets."""

    secrets: bool = False
    """Let jobs name a Secret of their namespace (`secretName`). The operator may then read every Secret of the namespaces
    that it looks after, by name."""
    allowed_private_hosts: list[HostName] = []
    """Hosts that URLs may lead to though their addresses are private. With network policies, `networkPolicy.extraWorkerEgress`
    must let workers reach them too."""
    s3_endpoint_url: str = Field(default="", pattern="^(https?://.+)?$")
    """Where buckets are whose Secret names no endpoint, that of `storage` too; AWS where empty."""
    max_size_bytes: int = Field(default=64 << 30, ge=1)
    """Most bytes that a job brings from its URL."""
    timeout_seconds: int = Field(default=3600, ge=1)
    """How long an attempt may take to bring its input, and how long to upload its result."""


class TestValues(Values):
    """What `helm test` does: one job of the model `synthetic` in each pool."""

    namespace: NamespaceName | Literal[""] = ""
    """Where the jobs are made; the first of `watchNamespaces`, or the release's own, where empty."""
    timeout_seconds: int = Field(default=240, ge=10)
    """How long all of them may take together. Shorter than `helm test --timeout`, which is 5 minutes: Helm takes the rights
    away when it gives up, and the test can't clean up any more."""


class ChartValues(Values):
    """Everything."""

    name_override: Name = ""
    """The chart's part of all names."""
    fullname_override: Name = ""
    """The whole beginning of all names."""
    image_pull_secrets: list[dict[str, str]] = []
    """Secrets for pulling every image, such as `[{name: registry}]`."""
    common_labels: dict[str, str] = {}
    """Labels of every object."""
    watch_namespaces: list[NamespaceName] = []
    """The namespaces whose jobs are looked after, with a Role in each; all, with a ClusterRole, where empty."""
    operator: Operator = Operator()
    worker: Worker = Worker()
    jobs: Jobs = Jobs()
    storage: Storage = Storage()
    remote: Remote = Remote()
    redis: Redis = Redis()
    crds: Crds = Crds()
    rbac: Rbac = Rbac()
    network_policy: NetworkPolicy = NetworkPolicy()
    monitoring: Monitoring = Monitoring()
    tracing: Tracing = Tracing()
    keda: Keda = Keda()
    release_jobs_on_uninstall: bool = True
    """Before the release goes, stop its jobs and take the operator's finalizer off them, so that none hangs."""
    test: TestValues = TestValues()
    extra_objects: list[KubernetesObject] = []
    """Further objects to install with the release."""
    global_: KubernetesObject = Field(default={}, alias="global")
    """Not read; Helm sets it where this chart is a part of another."""
