"""The files that the chart's templates read: the definition of ReconstructionJob, and the operator's RBAC rules."""

import yaml

from recon_dev.generate import custom_resource
from recon_operator.permissions import PERMISSIONS, SECRETS, WORKER_POD_PERMISSIONS, lease_permissions

HEADER = "# Generated from recon_operator.permissions by `make generate`; do not edit.\n"


def definition() -> str:
    """Return the same text as `crds/reconstructionjobs.yaml`: a chart can't read files outside of its folder."""
    return custom_resource.render()


def permissions() -> str:
    """Return the rules of each role; the lease's name is the template's to put in."""
    roles = {
        "jobs": PERMISSIONS,
        "lease": lease_permissions("LEASE_NAME"),
        "secrets": (SECRETS,),
        "workerPods": WORKER_POD_PERMISSIONS,
    }
    rules = {role: [permission.to_rule() for permission in permissions] for role, permissions in roles.items()}
    return HEADER + yaml.safe_dump(rules, sort_keys=False)
