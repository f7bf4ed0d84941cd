"""The chart's values of Redis."""

from typing import Literal

from pydantic import Field

from recon_dev.chart.fields import Image, Name, Placement, Port, Quantity, Resources, Values


class Persistence(Values):
    """Where Redis keeps its data, which may be lost: it is made again from the jobs."""

    enabled: bool = True
    """Keep it in a volume; else it goes with the Pod."""
    existing_claim: Name = ""
    """A PersistentVolumeClaim to use; a new one is made where empty."""
    size: Quantity = "2Gi"
    """Size of the new claim."""
    storage_class_name: Name = ""
    """StorageClass of the new claim; the cluster's default where empty."""


class BuiltIn(Placement):
    """A Redis of the release's own."""

    enabled: bool = True
    """Run it."""
    image: Image = Image(repository="redis", tag="7")
    """Redis 7 or later, or Valkey, with a shell."""
    user_id: int = Field(default=999, ge=1)
    """The user and group that it runs as."""
    resources: Resources = Resources(requests={"cpu": "100m", "memory": "128Mi"}, limits={"memory": "512Mi"})
    persistence: Persistence = Persistence()


class Tls(Values):
    """TLS to the external Redis."""

    enabled: bool = False
    """Speak TLS."""
    ca_secret: Name = ""
    """Secret with the certificate of its authority; the public ones where empty."""
    ca_key: str = "ca.crt"
    """Key of the certificate in that Secret."""


class External(Values):
    """A Redis that somebody else runs."""

    host: str = ""
    """Its host name. Set it together with `builtIn.enabled: false` and `auth.existingSecret`."""
    port: Port = 6379
    """Its port."""
    operator_user: str = Field(default="operator", pattern="^[A-Za-z0-9_-]+$")
    """The ACL user of the operator; `default` where there is only a password."""
    worker_user: str = Field(default="worker", pattern="^[A-Za-z0-9_-]+$")
    """The ACL user of the workers."""
    tls: Tls = Tls()


class Auth(Values):
    """Passwords."""

    existing_secret: Name = ""
    """A Secret with the keys `password`, `operator-password` and `worker-password`, of letters, digits, `-` and `_`; one is
    generated, and kept over upgrades, where empty. Name one where manifests are rendered without a cluster, as Argo CD
    does: each rendering would generate others."""


class Redis(Values):
    """How operator and workers talk."""

    auth: Auth = Auth()
    built_in: BuiltIn = BuiltIn()
    external: External = External()
    state_database: Literal[1, 2, 3, 4, 5, 6, 7, 8, 9] = 1
    """Database of the keys that operator and workers share; Celery's is 0."""
