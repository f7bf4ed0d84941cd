"""What an image holds, told by the image's own Python."""

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recon_dev.errors import DevError

INSIDE = Path(__file__).with_name("inside.py")


class PythonPackage(BaseModel):
    """One installed distribution; its licence where it is an SPDX expression."""

    name: str
    version: str
    license: str | None


class DebianPackage(BaseModel):
    """One installed package of Debian."""

    name: str
    version: str
    architecture: str


class Contents(BaseModel):
    """What `inside` tells."""

    python_version: str
    operating_system: dict[str, str]
    python: list[PythonPackage]
    """What the Dockerfile installs."""
    python_of_base: list[PythonPackage]
    """What the base image's own Python has besides, such as pip; Debian's Python has its packages in `debian`."""
    debian: list[DebianPackage]
    importable: list[str]
    programs: list[str]
    added_bytes: int
    uid: int
    writable: list[str]


def contents_of(image: str, runner: str | None = None) -> Contents:
    """Run an image's Python with what runs images here; one of RUNNERS may be named.

    Raises:
        DevError: nothing here can run it, or it failed.

    """
    return Contents.model_validate_json(run_python(image, INSIDE.read_text(), runner))


def run_python(image: str, script: str, runner: str | None = None) -> str:
    """Run a script by an image's Python, as the image's own user, on a read-only root but for buildah; return what it prints.

    Raises:
        DevError: nothing here can run it, or it failed.

    """
    name = runner or next((each for each in RUNNERS if shutil.which(each)), None)
    if name not in RUNNERS:
        raise DevError(f"nothing here can run an image: none of {', '.join(RUNNERS)}\nIMAGE_RUNNER=<one> names it")
    done = subprocess.run(RUNNERS[name](image), input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DevError(f"{name} could not run Python in {image}\n{done.stderr.strip()}")
    return done.stdout


def _container(program: str) -> Callable[[str], Sequence[str]]:
    return lambda image: [
        *(program, "run", "--rm", "--interactive", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"),
        *("--entrypoint=python3", image, "-"),
    ]


def _working_container(image: str) -> Sequence[str]:
    script = 'c=$(buildah from --pull-never "$1"); trap "buildah rm $c >/dev/null" EXIT; buildah run "$c" -- python3 -'
    return ["sh", "-euc", script, "sh", image]


def _pod(image: str) -> Sequence[str]:
    name = f"image-{uuid.uuid4().hex[:8]}"
    return [
        *("kubectl", "run", name, "--quiet", "--rm", "--stdin", "--restart=Never", f"--image={image}"),
        *("--image-pull-policy=IfNotPresent", "--pod-running-timeout=5m", "--override-type=strategic"),
        f"--overrides={json.dumps(_restricted(name))}",
        *("--command", "--", "python3", "-"),
    ]


def _restricted(name: str) -> dict[str, Any]:
    """Return what a namespace of the pod security standard `restricted` asks of the Pod, and a writable /tmp."""
    container = {
        "name": name,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the Pod
        "securityContext": {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        }
    }


RUNNERS: dict[str, Callable[[str], Sequence[str]]] = {
    "docker": _container("docker"),
    "podman": _container("podman"),
    "buildah": _working_container,
    "kubectl": _pod,
}
"""How to start an image's Python with a script on its standard input, by the program that does it."""
