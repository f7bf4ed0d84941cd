"""What the operator calls itself before the API server: in audit logs, and as the owner of the fields that it writes."""

from importlib.metadata import PackageNotFoundError, version

NAME = "reconstruction-operator"

FIELD_MANAGER = NAME
"""Owner of what is written, in `metadata.managedFields`: one for all components, since they write the same fields."""


def user_agent(component: str = "") -> str:
    """Return the User-Agent of the operator, or of a component beside it, such as release-jobs."""
    return f"{NAME}/{_version()}{f' ({component})' if component else ''}"


def _version() -> str:
    try:
        return version(NAME)
    except PackageNotFoundError:
        return "unknown"
