"""The files that the chart's templates read: the definition of ReconstructionJob, and the operator's RBAC rules."""

import yaml

from recon_dev.generate import custom_resource
from recon_operator.permissions import PERMISSIONS

HEADER = "# Generated from recon_operator.permissions by `make generate`; do not edit.\n"


def definition() -> str:
    """Return the same text as `crds/reconstructionjobs.yaml`: a chart can't read files outside of its folder."""
    return custom_resource.render()


def permissions() -> str:
    """Return the rules of each role."""
    rules = {"jobs": [permission.to_rule() for permission in PERMISSIONS]}
    return HEADER + yaml.safe_dump(rules, sort_keys=False)
