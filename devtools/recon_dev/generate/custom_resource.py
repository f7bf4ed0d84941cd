"""The CustomResourceDefinition as the file that `kubectl apply` and the chart read."""

import yaml

from recon_api.crd import crd

HEADER = "# Generated from recon_api by `make generate`; do not edit.\n"


def render() -> str:
    """Return the CRD as YAML, in the order in which the models name the fields."""
    return HEADER + yaml.safe_dump(crd(), sort_keys=False, allow_unicode=True, width=120)
