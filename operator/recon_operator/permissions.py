"""The RBAC rules that the operator needs: exactly what it uses. The chart's roles are these."""

from dataclasses import dataclass

from recon_api.resource import GROUP, PLURAL


@dataclass(frozen=True)
class Permission:
    """One rule of a Role or ClusterRole."""

    api_group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]

    def to_rule(self) -> dict[str, list[str]]:
        """Return the rule as RBAC writes it."""
        return {"apiGroups": [self.api_group], "resources": list(self.resources), "verbs": list(self.verbs)}


PERMISSIONS: tuple[Permission, ...] = (
    # patch: the finalizer and the label; delete: finished jobs whose ttlSecondsAfterFinished is over
    Permission(GROUP, (PLURAL,), ("get", "list", "watch", "patch", "delete")),
    Permission(GROUP, (f"{PLURAL}/status",), ("patch",)),
    Permission("events.k8s.io", ("events",), ("create",)),
)
"""What the operator does in each namespace that it looks after."""
