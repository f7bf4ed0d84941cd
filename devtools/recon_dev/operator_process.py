"""The operator of the local cluster: the same program as in a Pod, with the rights of its own service account."""

import sys

from recon_dev.probes import url_answers
from recon_dev.processes import Component
from recon_dev.service_account import write_operator_kubeconfig
from recon_dev.state import Settings, StateDir
from recon_dev.worker_process import application_env


def operator(state: StateDir, settings: Settings, *, namespace: str = "") -> Component:
    """Return the operator of one namespace, or of all; it is ready once it watches the jobs and reaches Redis."""
    environment = {
        **application_env(state, settings),
        "KUBECONFIG": str(state.operator_kubeconfig),
        "HEALTH_PORT": str(settings.operator_port),
        "WATCH_NAMESPACE": namespace,
    }
    return Component(
        name="operator",
        command=[sys.executable, "-m", "recon_operator"],
        env=environment,
        prepare=lambda: write_operator_kubeconfig(state),
        ready=lambda: url_answers(f"http://127.0.0.1:{settings.operator_port}/readyz"),
        cwd=state.root,
        stop_within_s=20.0,
    )
