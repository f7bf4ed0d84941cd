"""kube-controller-manager of the local cluster: what has to run so that a namespace that is deleted ever ends."""

from pathlib import Path

from recon_dev.certificates import ensure_pki
from recon_dev.control_plane import server_env, write_kubeconfig
from recon_dev.ports import LOOPBACK
from recon_dev.probes import url_answers
from recon_dev.processes import Component
from recon_dev.state import Settings, StateDir

CONTROLLERS = (
    "namespace-controller",  # deletes what is in a namespace that is deleted
    "garbage-collector-controller",  # deletes what its owner left behind
    "clusterrole-aggregation-controller",  # fills the roles admin, edit and view
    "resourcequota-controller",  # counts what a quota limits
    "serviceaccount-controller",  # gives each namespace its account `default`
)
"""Those that mean something where there are no nodes."""
REQUESTS_PER_S = 500
"""Of each controller; the default of 20 is for clusters that many share."""


def controller_manager(state: StateDir, settings: Settings, program: Path) -> Component:
    """Return the controller manager, for which nobody waits: the API server serves without it."""
    pki = ensure_pki(state.pki)
    write_kubeconfig(state.controller_manager_kubeconfig, settings, pki, pki.controller_manager)
    command = [
        str(program),
        f"--kubeconfig={state.controller_manager_kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--use-service-account-credentials",  # each controller has its own rights, as in a real cluster
        "--leader-elect=false",
        f"--kube-api-qps={REQUESTS_PER_S}",
        f"--kube-api-burst={2 * REQUESTS_PER_S}",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={settings.controller_manager_port}",
        f"--tls-cert-file={pki.server.certificate}",
        f"--tls-private-key-file={pki.server.key}",
        "--authentication-skip-lookup",  # it is asked for nothing but its health
    ]
    health = f"https://{LOOPBACK}:{settings.controller_manager_port}/healthz"
    return Component(
        name="kube-controller-manager",
        command=command,
        env=server_env(),
        ready=lambda: url_answers(health, pki.authority.certificate),
        awaited=False,
    )
