"""The operator of the local cluster: the same program as in a Pod, with the rights of its own service account."""

import sys
from collections.abc import Mapping

from recon_dev.ports import LOOPBACK
from recon_dev.probes import url_answers
from recon_dev.processes import Component
from recon_dev.redis_users import OPERATOR
from recon_dev.service_account import NAMESPACE, write_operator_kubeconfig
from recon_dev.state import Settings, StateDir
from recon_dev.worker_process import application_env


def operator(
    state: StateDir,
    settings: Settings,
    *,
    namespace: str = "",
    extra_env: Mapping[str, str] | None = None,
    name: str = "operator",
    port: int | None = None,
) -> Component:
    """Return the operator of one namespace, or of all; it is ready once it watches the jobs and reaches Redis.

    A second one needs a name and a port of its own.
    """
    port = port or settings.operator_port
    environment = {
        **application_env(state, settings, OPERATOR),
        "KUBECONFIG": str(state.operator_kubeconfig),
        "NAMESPACES": namespace,
        "LEASE_NAMESPACE": namespace or NAMESPACE,
        "HTTP_HOST": LOOPBACK,
        "HTTP_PORT": str(port),
        **(extra_env or {}),
    }
    return Component(
        name=name,
        command=[sys.executable, "-m", "recon_operator"],
        env=environment,
        prepare=lambda: write_operator_kubeconfig(state, namespace or NAMESPACE),
        ready=lambda: url_answers(f"http://{LOOPBACK}:{port}/readyz"),
        cwd=state.root,
        stop_within_s=20.0,
    )
