"""The README's section about Helm, followed word for word."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_dev.binaries import find_helm
from recon_dev.state import CHECKOUT
from tests.support.e2e.cluster import OURS, RESTRICTED, RealCluster
from tests.support.e2e.images import image_values, operator_image
from tests.support.e2e.installation import VALUES, merged

NAMESPACE = "reconstruction"
"""The README's."""


@pytest.fixture
def namespace(cluster: RealCluster) -> Iterator[str]:
    """The README's namespace, which is marked as ours so that it goes whatever becomes of this run."""
    taken = cluster.run_kubectl.run("get", "namespace", NAMESPACE).returncode == 0
    if taken:
        pytest.skip(f"somebody uses the namespace {NAMESPACE}")
    metadata = {"name": NAMESPACE, "labels": {OURS: "true", **RESTRICTED}}
    cluster.run_kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    yield NAMESPACE
    cluster.remove_namespaces(NAMESPACE)


def commands() -> list[str]:
    """Return the commands below the README's line `<!-- helm -->`."""
    [block] = re.findall(
        r"^<!-- helm -->\n```console\n(.*?)^```$", (CHECKOUT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    return [line for line in block.splitlines() if line]


@pytest.mark.usefixtures("namespace")
def test_the_commands_work(cluster: RealCluster, storage_values: dict[str, Any], tmp_path: Path) -> None:
    images = image_values()
    for part in (images["operator"], images["worker"]):
        del part["image"]["repository"]  # the commands name it
    here = tmp_path / "here.yaml"
    here.write_text(yaml.safe_dump(merged(yaml.safe_load(VALUES.read_text()), images, storage_values)))
    environment = os.environ | {
        "KUBECONFIG": str(cluster.kubeconfig),
        "REGISTRY": operator_image().rpartition("/")[0],
        "PATH": f"{find_helm().parent}{os.pathsep}{os.environ['PATH']}",
    }
    installing, testing = commands()
    for command in (f"{installing} --take-ownership --timeout 10m --values {here}", testing):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=700,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
