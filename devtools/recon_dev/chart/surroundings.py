"""The chart's values of what surrounds the release: network policies, monitoring, scaling."""

from typing import Literal

from pydantic import Field

from recon_dev.chart.fields import KubernetesList, Values


class NetworkPolicy(Values):
    """Who may talk to whom. A cluster whose network does not enforce policies ignores them."""

    enabled: bool = True
    """Let only operator and workers reach Redis, nobody reach a worker but for its metrics, and workers reach Redis, DNS
    and public addresses only."""
    metrics_from: KubernetesList = []
    """Who may read metrics, as peers of a NetworkPolicy; anybody where empty."""
    extra_worker_egress: KubernetesList = []
    """Further rules of what workers reach, such as an S3 server in the cluster."""
    extra_operator_egress: KubernetesList = []
    """Further rules of what the operator reaches."""
    api_server_ports: list[int] = [443, 6443]
    """Ports of the API server."""


class Scrape(Values):
    """How Prometheus reads one kind of Pod; needs the Prometheus operator."""

    enabled: bool = False
    """Create the object."""
    interval: str = Field(default="30s", pattern="^[0-9]+(ms|s|m)$")
    """Between two scrapes."""
    labels: dict[str, str] = {}
    """Labels by which your Prometheus selects it."""


class Rule(Values):
    """Alerts; needs the Prometheus operator."""

    enabled: bool = False
    """Create the PrometheusRule."""
    labels: dict[str, str] = {}
    """Labels by which your Prometheus selects it."""


class Dashboards(Values):
    """Dashboards for Grafana's sidecar."""

    enabled: bool = False
    """Create a ConfigMap with each dashboard."""
    labels: dict[str, str] = {"grafana_dashboard": "1"}
    """Labels by which the sidecar selects them."""
    annotations: dict[str, str] = {}
    """Annotations, such as the folder."""


class Monitoring(Values):
    """Metrics, alerts and dashboards."""

    service_monitor: Scrape = Scrape()
    """The operator's metrics."""
    pod_monitor: Scrape = Scrape()
    """The workers' metrics."""
    prometheus_rule: Rule = Rule()
    dashboards: Dashboards = Dashboards()


class Tracing(Values):
    """OpenTelemetry."""

    endpoint: str = Field(default="", pattern="^(https?://.+)?$")
    """Where traces go (OTLP); none are made where empty."""


class Keda(Values):
    """As many workers as there are jobs queued and running; needs KEDA 2.14 or later and Prometheus."""

    enabled: bool = False
    """Create a ScaledObject for each pool, and let the operator mark busy workers, so that they are the last to go."""
    min_replicas: int = Field(default=0, ge=0)
    """Workers that stay when nothing is to be done."""
    max_replicas: int = Field(default=4, ge=1)
    """Workers at most, in each pool."""
    cooldown_seconds: int = Field(default=600, ge=0)
    """How long an idle worker stays warm."""
    polling_seconds: int = Field(default=15, ge=1)
    """Between two looks at the queue."""
    prometheus_address: str = Field(default="", pattern="^(https?://.+)?$")
    """Prometheus, such as `http://prometheus.monitoring:9090`."""
    authentication_ref: str = ""
    """A TriggerAuthentication for Prometheus, where it needs one."""
    authentication_kind: Literal["TriggerAuthentication", "ClusterTriggerAuthentication"] = "TriggerAuthentication"
    """Its kind."""
