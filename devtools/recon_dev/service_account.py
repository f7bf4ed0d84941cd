"""The operator's own account on the local cluster: it may do what the installed one may, and nothing else."""

from typing import Any

import yaml

from recon_dev.control_plane import OPERATOR_ACCOUNT
from recon_dev.kubectl import Kubectl
from recon_dev.state import StateDir, write_private
from recon_operator.permissions import PERMISSIONS, SECRETS, lease_permissions

NAMESPACE, NAME = OPERATOR_ACCOUNT
TOKEN_DURATION = "8760h"  # noqa: S105 - not a secret


def write_operator_kubeconfig(state: StateDir, lease_namespace: str = NAMESPACE) -> None:
    """Give the operator its account, roles and a kubeconfig with a token. Raises DevError where the API server is away."""
    kubectl = Kubectl(state.kubeconfig)
    kubectl.apply(*account_objects(lease_namespace))
    token = kubectl("create", "token", NAME, "-n", NAMESPACE, f"--duration={TOKEN_DURATION}").strip()
    document = yaml.safe_load(state.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    write_private(state.operator_kubeconfig, yaml.safe_dump(document, sort_keys=False))


def account_objects(lease_namespace: str) -> list[dict[str, Any]]:
    """Return the account and its roles, from the operator's own list of what it needs.

    `lease_namespace` is that of the lease, where several operators elect a leader.
    """
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    rules = [permission.to_rule() for permission in (*PERMISSIONS, SECRETS)]
    lease_rules = [permission.to_rule() for permission in lease_permissions(NAME)]
    group = "rbac.authorization.k8s.io"
    in_lease_namespace = {"name": NAME, "namespace": lease_namespace}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": NAME},
            "subjects": [subject],
        },
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": in_lease_namespace, "rules": lease_rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": in_lease_namespace,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": NAME},
            "subjects": [subject],
        },
    ]
