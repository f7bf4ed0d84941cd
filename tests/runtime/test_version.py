"""The version that both sides report is this distribution's."""

import tomllib

from recon_dev.state import CHECKOUT
from recon_runtime.version import installed_version


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert installed_version() == project["version"]
