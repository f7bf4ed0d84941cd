"""The reference page of what the operator may do in the cluster."""

import yaml

from recon_dev.generate.markdown import code, page, table
from recon_operator.permissions import PERMISSIONS, Permission

INTRODUCTION = """\
What the operator's service account needs, and no more. The worker has no token for the API server at all: it knows
Redis and the storage only."""


def render() -> str:
    """Return the page: a table for people, the same rules as RBAC writes them."""
    rules = yaml.safe_dump([permission.to_rule() for permission in PERMISSIONS], sort_keys=False)
    return page(
        "Permissions",
        INTRODUCTION,
        table(("API group", "Resources", "Verbs"), map(_row, PERMISSIONS)),
        "As the rules of a Role or ClusterRole:",
        f"```yaml\n{rules}```",
    )


def _row(permission: Permission) -> tuple[str, str, str]:
    return (
        code(permission.api_group or "core"),
        ", ".join(map(code, permission.resources)),
        ", ".join(map(code, permission.verbs)),
    )
