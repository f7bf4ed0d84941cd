"""What the documentation says of the chart works: every `helm` command's values, and every file of values."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_dev.checks.chart import CHART
from recon_dev.state import CHECKOUT
from tests.support.chart import RELEASE, helm, render

PAGES = (CHECKOUT / "README.md", CHECKOUT / "docs" / "how-to" / "install-with-helm.md", CHART / "README.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text()) if kind == language]


def commands() -> list[Any]:
    """Return the lines of all pages that install or upgrade the chart."""
    lines = [line for page in PAGES for block in blocks(page, "console") for line in block.splitlines()]
    return [line for line in lines if line.startswith(("helm install ", "helm upgrade "))]


def value_files() -> list[Any]:
    """Return what the how-to's files of values hold, as cases."""
    files = [yaml.safe_load(block) for block in blocks(PAGES[1], "yaml")]
    return [pytest.param(values, id=f"{number} {' '.join(values)}") for number, values in enumerate(files, start=1)]


def test_there_is_something_to_try() -> None:
    assert len(commands()) >= 4
    assert len(value_files()) >= 7


@pytest.mark.parametrize("command", commands())
def test_a_command_installs_this_chart_with_values_that_exist(command: str) -> None:
    _, _, name, chart, *options = shlex.split(command)
    assert (name, CHECKOUT / chart) == ("reconstruction", CHART)
    settings = [f"--set={value}" for option, value in pairwise(options) if option == "--set"]
    done = helm("template", RELEASE, str(CHART), *settings)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("values", value_files())
def test_a_file_of_values_is_taken(values: dict[str, Any]) -> None:
    assert render(values).objects
