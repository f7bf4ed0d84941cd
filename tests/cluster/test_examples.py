"""Every example does what its README says: its commands are run, in order, and all must succeed."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from recon_dev.kubectl import Kubectl
from recon_dev.photos import put_photos
from recon_dev.state import CHECKOUT
from tests.support.photo_sets import rendered_photos
from tests.support.system import System

EXAMPLES = sorted(path for path in (CHECKOUT / "examples").iterdir() if path.is_dir())
COMMAND_LIMIT_S = 600


def commands(readme: Path) -> list[str]:
    """Return the lines of the README's console blocks."""
    blocks = re.findall(r"^```console\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(shared_system: System, tmp_path: Path, example: Path) -> None:
    manifest = yaml.safe_load((example / "manifest.yaml").read_text())
    put_photos(rendered_photos(), shared_system.inputs / manifest["spec"]["input"]["path"])
    environment = as_a_person(shared_system, tmp_path)
    lines = commands(example / "README.md")
    assert lines
    for line in lines:
        done = subprocess.run(
            shlex.split(line), cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def as_a_person(system: System, folder: Path) -> dict[str, str]:
    """Return an environment whose `kubectl` speaks to the test's namespace."""
    config = yaml.safe_load(system.control_plane.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = system.namespace
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    kubectl = Kubectl(kubeconfig)
    path = f"{Path(kubectl.command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    return kubectl.env | {"KUBECONFIG": str(kubeconfig), "PATH": path}
