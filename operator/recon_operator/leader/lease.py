"""The Lease of coordination.k8s.io by which operators agree on who leads."""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Kept(BaseModel):
    """What others have put there stays as it is."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


class LeaseMetadata(_Kept):
    """Metadata of a Lease."""

    name: str
    namespace: str
    resource_version: str | None = None


class LeaseSpec(_Kept):
    """Who holds a Lease. Its times are for people: they are the holder's clock, and nobody else's."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None

    @property
    def holder(self) -> str:
        """Who holds it, empty where nobody does."""
        return self.holder_identity or ""


class Lease(_Kept):
    """A Lease."""

    api_version: str = "coordination.k8s.io/v1"
    kind: str = "Lease"
    metadata: LeaseMetadata
    spec: LeaseSpec = Field(default_factory=LeaseSpec)

    @classmethod
    def new(cls, namespace: str, name: str) -> "Lease":
        """Return a Lease that does not exist yet and that nobody holds."""
        return cls(metadata=LeaseMetadata(name=name, namespace=namespace))

    def held_by(self, identity: str, duration_s: int) -> Self:
        """Return it as `identity` holds it from now on, or still does."""
        now = _micro_time()
        changes: dict[str, Any] = {
            "holder_identity": identity,
            "lease_duration_seconds": duration_s,
            "renew_time": now,
        }
        if self.spec.holder != identity:
            changes |= {"acquire_time": now, "lease_transitions": (self.spec.lease_transitions or 0) + 1}
        return self.model_copy(update={"spec": self.spec.model_copy(update=changes)})

    def released(self) -> Self:
        """Return it as nobody holds it."""
        changes = {"holder_identity": None, "lease_duration_seconds": 1, "renew_time": _micro_time()}
        return self.model_copy(update={"spec": self.spec.model_copy(update=changes)})

    def to_json(self) -> dict[str, Any]:
        """Return it as the API server takes it."""
        return self.model_dump(by_alias=True, exclude_none=True)


def _micro_time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
