"""The version of this distribution, as it is installed."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Return the version; empty where the code runs without being installed."""
    try:
        return version("reconstruction-operator")
    except PackageNotFoundError:
        return ""
