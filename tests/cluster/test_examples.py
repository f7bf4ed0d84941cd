"""Every example does what its README says: its commands are run, in order, and print what it shows."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from recon_dev.kubectl import Kubectl
from recon_dev.photos import put_photos
from recon_dev.state import CHECKOUT
from tests.support.control_plane import ControlPlane
from tests.support.examples import Command, commands, manifests, matches, settings
from tests.support.photo_sets import rendered_photos
from tests.support.system import System

EXAMPLES = sorted(path for path in (CHECKOUT / "examples").iterdir() if path.is_dir())
COMMAND_LIMIT_S = 600

SystemWith = Callable[[dict[str, str]], System]


@pytest.fixture
def system_with(
    request: pytest.FixtureRequest, control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SystemWith]:
    """A system with the settings that an example asks for; those that ask for none share one."""
    with ExitStack() as stack:

        def start(environment: dict[str, str]) -> System:
            if not environment:
                shared: System = request.getfixturevalue("shared_system")
                return shared
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            system = System(control_plane, tmp_path / "system")
            stack.callback(system.stop)
            return system.start()

        yield start


@pytest.mark.xdist_group("examples")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(system_with: SystemWith, tmp_path: Path, example: Path) -> None:
    system = system_with(settings(example / "README.md"))
    put_inputs(example, system)
    environment = as_a_person(system, tmp_path)
    lines = commands(example / "README.md")
    assert lines
    for command in lines:
        run(command, environment)


def run(command: Command, environment: dict[str, str]) -> None:
    """Run a command of a README as its reader does."""
    done = subprocess.run(
        command.arguments,
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) == command.refused, f"{command.line}\n{printed}"
    if command.shows:
        assert matches(command.shows, printed), f"{command.line}\nprints\n{printed}\nand not\n{command.shows}"


def put_inputs(example: Path, system: System) -> None:
    """Put photos where the example's jobs look for them."""
    for manifest in manifests(example):
        if "input" in manifest["spec"]:
            put_photos(rendered_photos(), system.inputs / manifest["spec"]["input"]["path"])


def as_a_person(system: System, folder: Path) -> dict[str, str]:
    """Return an environment whose `kubectl` speaks to the test's namespace."""
    config = yaml.safe_load(system.control_plane.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = system.namespace
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    kubectl = Kubectl(kubeconfig)
    path = f"{Path(kubectl.command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    return kubectl.env | {"KUBECONFIG": str(kubeconfig), "PATH": path}
