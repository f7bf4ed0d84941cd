"""The reference page of what the operator may do in the cluster."""

import yaml

from recon_dev.generate.markdown import code, page, table
from recon_operator.permissions import PERMISSIONS, SECRETS, WORKER_POD_PERMISSIONS, Permission, lease_permissions
from recon_operator.settings import OperatorSettings

INTRODUCTION = """\
What the operator's service account needs, and no more. The worker has no token for the API server at all: it knows
Redis and the storage only."""

LEASE = """\
Where several operators run and one leads (`LEADER_ELECTION`), also this, in the namespace of the lease alone:"""

WORKER_PODS = """\
Where workers are scaled (`WORKER_NAMESPACE`), also this, in the namespace of the workers' Pods alone:"""


def render() -> str:
    """Return the page: tables for people, the same rules as RBAC writes them."""
    return page(
        "Permissions",
        INTRODUCTION,
        *_section("As the rules of a Role or ClusterRole:", PERMISSIONS),
        LEASE,
        *_section("As the rules of a Role:", lease_permissions(OperatorSettings.model_fields["lease_name"].default)),
        "Only where jobs may name a Secret with credentials for a URL (`secretName`); it lets the operator read any Secret of the\n"
        "namespaces that it looks after, one at a time and by name:",
        *_section("As the rules of a Role or ClusterRole:", (SECRETS,)),
        WORKER_PODS,
        *_section("As the rules of a Role:", WORKER_POD_PERMISSIONS),
    )


def _section(title: str, permissions: tuple[Permission, ...]) -> tuple[str, str, str]:
    rules = yaml.safe_dump([permission.to_rule() for permission in permissions], sort_keys=False)
    return (
        table(("API group", "Resources", "Verbs"), map(_row, permissions)),
        title,
        f"```yaml\n{rules}```",
    )


def _row(permission: Permission) -> tuple[str, str, str]:
    return (
        code(permission.api_group or "core"),
        ", ".join(map(code, permission.resources)) + (f" named {code(*permission.names)}" if permission.names else ""),
        ", ".join(map(code, permission.verbs)),
    )
