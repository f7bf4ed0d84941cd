"""The operator's own account on the local cluster: it may do what the installed one may, and nothing else."""

from typing import Any

import yaml

from recon_dev.kubectl import Kubectl
from recon_dev.state import StateDir, write_private
from recon_operator.permissions import PERMISSIONS

NAMESPACE = "reconstruction-system"
NAME = "reconstruction-operator"
TOKEN_DURATION = "8760h"  # noqa: S105 - not a secret


def write_operator_kubeconfig(state: StateDir) -> None:
    """Give the operator its account, roles and a kubeconfig with a token. Raises DevError where the API server is away."""
    kubectl = Kubectl(state.kubeconfig)
    kubectl.apply(*account_objects())
    token = kubectl("create", "token", NAME, "-n", NAMESPACE, f"--duration={TOKEN_DURATION}").strip()
    document = yaml.safe_load(state.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    write_private(state.operator_kubeconfig, yaml.safe_dump(document, sort_keys=False))


def account_objects() -> list[dict[str, Any]]:
    """Return the account and its roles, from the operator's own list of what it needs."""
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    rules = [permission.to_rule() for permission in PERMISSIONS]
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "ClusterRole", "name": NAME}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}},
        {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": role,
            "subjects": [subject],
        },
    ]
