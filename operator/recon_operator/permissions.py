"""The RBAC rules that the operator needs: exactly what it uses. The chart's roles are these."""

from dataclasses import dataclass

from recon_api.resource import GROUP, PLURAL


@dataclass(frozen=True)
class Permission:
    """One rule of a Role or ClusterRole."""

    api_group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()
    """The only objects that it is about; all where empty."""

    def to_rule(self) -> dict[str, list[str]]:
        """Return the rule as RBAC writes it."""
        names = {"resourceNames": list(self.names)} if self.names else {}
        return {"apiGroups": [self.api_group], "resources": list(self.resources), **names, "verbs": list(self.verbs)}


PERMISSIONS: tuple[Permission, ...] = (
    # patch: the finalizer and the label; delete: finished jobs whose ttlSecondsAfterFinished is over
    Permission(GROUP, (PLURAL,), ("get", "list", "watch", "patch", "delete")),
    Permission(GROUP, (f"{PLURAL}/status",), ("patch",)),
    Permission("events.k8s.io", ("events",), ("create",)),
)
"""What the operator does in each namespace that it looks after."""

SECRETS = Permission("", ("secrets",), ("get",))
"""Needed only where jobs may name a Secret (`secretName`): whoever may act as the operator can then read every Secret of its
namespaces, so the chart gives it only where it is asked to."""


def lease_permissions(name: str) -> tuple[Permission, ...]:
    """Return what the operator does in the lease's namespace, where it elects a leader."""
    group, resources = "coordination.k8s.io", ("leases",)
    # what does not exist yet has no name that RBAC could look at
    return (
        Permission(group, resources, ("create",)),
        Permission(group, resources, ("get", "update"), names=(name,)),
        # about the installation itself, such as a namespace that it may not read, where nothing can be said
        Permission("events.k8s.io", ("events",), ("create",)),
    )


WORKER_POD_PERMISSIONS: tuple[Permission, ...] = (Permission("", ("pods",), ("list", "patch")),)
"""What the operator does in the workers' namespace, where it marks busy ones (`WORKER_NAMESPACE`)."""
