"""kubectl as a function: what a person would type is what this program and its tests run."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recon_dev.binaries import find_kubectl
from recon_dev.errors import DevError

KUBECTL_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Kubectl:
    """kubectl against one cluster, as the user of a kubeconfig."""

    kubeconfig: Path

    def __call__(self, *arguments: str, stdin: str | None = None, timeout_s: float = KUBECTL_TIMEOUT_S) -> str:
        """Run kubectl and return its standard output; raise DevError with what it said where it fails."""
        done = self.run(*arguments, stdin=stdin, timeout_s=timeout_s)
        if done.returncode != 0:
            raise DevError(f"kubectl {' '.join(arguments[:4])}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def run(
        self, *arguments: str, stdin: str | None = None, timeout_s: float = KUBECTL_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl and return what came of it."""
        try:
            return subprocess.run(
                [*self.command, *arguments],
                input=stdin,
                env=self.env,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DevError(f"kubectl {' '.join(arguments[:4])}: no answer in {timeout_s:.0f} s") from None

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Bring objects to the given state, created where they are missing."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get … -o json` finds."""
        return json.loads(self("get", *arguments, "-o", "json"))

    @cached_property
    def command(self) -> list[str]:
        """The program and the arguments that choose the cluster."""
        return [str(find_kubectl()), f"--kubeconfig={self.kubeconfig}"]

    @cached_property
    def env(self) -> dict[str, str]:
        """Environment with a discovery cache beside the kubeconfig: ports of local clusters come again with other contents."""
        return os.environ | {"KUBECACHEDIR": str(self.kubeconfig.parent / "run" / "kubectl-cache")}
