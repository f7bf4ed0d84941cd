"""Pods of workers that nothing runs: what is looked at are their marks."""

from recon_operator.permissions import WORKER_POD_PERMISSIONS
from recon_operator.scheduling.pod_deletion_cost import DELETION_COST
from tests.support.control_plane import ControlPlane

POOL = "pool=default"


class Pods:
    """Pods of a namespace that nothing runs."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.kubectl, self.namespace = control_plane.run_kubectl, control_plane.make_namespace()

    def make(self, name: str, cost: str = "", label: str = POOL) -> None:
        """Create a Pod, marked already where a cost is given."""
        key, value = label.split("=")
        metadata = {"name": name, "namespace": self.namespace, "labels": {key: value}}
        annotations = {DELETION_COST: cost} if cost else {}
        spec = {"containers": [{"name": "worker", "image": "none"}], "automountServiceAccountToken": False}
        self.kubectl.apply(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "annotations": annotations}, "spec": spec}
        )

    def costs(self) -> dict[str, str]:
        """Return the marks by the Pods' names."""
        found = self.kubectl.get("pods", "-n", self.namespace)["items"]
        return {pod["metadata"]["name"]: pod["metadata"].get("annotations", {}).get(DELETION_COST, "") for pod in found}

    def let(self, account: str) -> None:
        """Give an account the rights that marking takes."""
        rules = [permission.to_rule() for permission in WORKER_POD_PERMISSIONS]
        metadata = {"name": "mark", "namespace": self.namespace}
        group, subject = "rbac.authorization.k8s.io", dict(zip(("namespace", "name"), account.split("/"), strict=True))
        self.kubectl.apply(
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {"apiGroup": group, "kind": "Role", "name": "mark"},
                "subjects": [{"kind": "ServiceAccount", **subject}],
            },
        )
